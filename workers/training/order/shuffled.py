"""The order of the rows in an epoch: a permutation that follows from seed and epoch, and takes an index or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]

_SEEDS = 2**63  # ours may be larger


class Stretch(NamedTuple):
    """Some rows of one block, in the order in which they are learned from."""

    first: int  # the block's rows are [first, stop) of the set
    stop: int
    places: Index  # in the block, each once at most


class BlockOrder:
    """A permutation of blocks of rows, and one within each; memory in proportion to a block, and to their number.

    Rows of a block come one after the other. Each row is at each place of the order with nearly the same chance, but
    for the short last block, which is moved as a whole as the others are.
    """

    def __init__(self, seed: int, epoch: int, rows: int, block_rows: int, part: range | None = None) -> None:
        """The order of all rows of a set, or a part of it without gaps."""
        self._seed, self._epoch, self._rows, self._block_rows = seed % _SEEDS, epoch, rows, block_rows
        self._blocks: Index = self._random().permutation(-(-rows // block_rows))
        sizes = np.minimum((self._blocks + 1) * block_rows, rows) - self._blocks * block_rows
        self._ends = np.cumsum(sizes)  # of the blocks, in the order
        self._part = range(rows) if part is None else part

    def __len__(self) -> int:
        return len(self._part)

    def __getitem__(self, part: slice) -> BlockOrder:
        """That part of the order, without gaps."""
        return BlockOrder(self._seed, self._epoch, self._rows, self._block_rows, self._part[part.start : part.stop])

    def stretches(self) -> Iterator[Stretch]:
        """The order, block by block."""
        at, stop = self._part.start, self._part.stop
        number = int(np.searchsorted(self._ends, at, side="right"))
        while at < stop:
            block, end = int(self._blocks[number]), int(self._ends[number])
            first, last = block * self._block_rows, min((block + 1) * self._block_rows, self._rows)
            begin = end - (last - first)
            within = self._random(block).permutation(last - first)
            yield Stretch(first, last, within[at - begin : min(stop, end) - begin])
            at, number = end, number + 1

    def _random(self, *block: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self._seed, self._epoch, *(1 + one for one in block)]))


Order = Index | BlockOrder


def sample_order(seed: int, epoch: int, rows: int) -> Index:
    """The order of rows in an epoch, int64 (rows,): of seed and epoch alone, so that a resumed epoch has it too."""
    generator = np.random.Generator(np.random.PCG64([seed % _SEEDS, epoch]))
    return generator.permutation(rows)


def order_of(seed: int, epoch: int, rows: int, block_rows: int | None) -> Order:
    """The order of rows in an epoch: an index, or by blocks of so many rows."""
    return sample_order(seed, epoch, rows) if block_rows is None else BlockOrder(seed, epoch, rows, block_rows)
