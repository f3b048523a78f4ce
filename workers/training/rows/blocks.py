"""Rows of a large set, read from disk block by block: memory is in proportion to a block, not to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from workers.ahead import ahead
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import model_input
from workers.features.scratch import ScratchTable
from workers.training.order.bounds import Bounds
from workers.training.order.rule import Epoch
from workers.training.order.shuffled import BlockOrder, Stretch
from workers.training.rows.batch import Batch


@dataclass(frozen=True, kw_only=True)
class FileRows:
    """A training set, encoded, on disk."""

    features: ScratchTable  # of rows (width,)
    labels: ScratchTable
    weights: ScratchTable | None  # float32; None where all are 1
    encoder: FeatureEncoder
    prepare: Callable[[torch.Tensor], torch.Tensor]  # labels as they were read → as the loss takes them


class _Block(NamedTuple):
    """Rows in the order in which they are learned from, on the device."""

    features: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor | None

    def part(self, start: int, stop: int) -> _Block:
        weights = None if self.weights is None else self.weights[start:stop]
        return _Block(self.features[start:stop], self.labels[start:stop], weights)


class BlockRows:
    """While batches are made of one block, the next is read and shuffled."""

    def __init__(self, rows: FileRows, device: torch.device) -> None:
        self._rows, self._device = rows, device

    def __len__(self) -> int:
        return self._rows.features.rows

    def batches(self, epoch: Epoch, bounds: Bounds) -> Iterator[Batch]:
        """As BatchedRows; the order goes by blocks, and a batch may span several."""
        order = epoch.order
        assert isinstance(order, BlockOrder)
        assert epoch.weights is None
        if not bounds:
            return
        wanted = order[bounds[0][0] : bounds[-1][1]]
        blocks = ahead(self._block(stretch) for stretch in wanted.stretches())
        for block in _cut(blocks, bounds):
            yield Batch(model_input(block.features, self._rows.encoder), block.labels, block.weights)

    def _block(self, stretch: Stretch) -> _Block:
        places = torch.from_numpy(stretch.places)

        def read(table: ScratchTable) -> torch.Tensor:
            rows = torch.from_numpy(table.read(stretch.first, stretch.stop))
            return rows.index_select(0, places).to(self._device)

        labels = self._rows.prepare(read(self._rows.labels))
        return _Block(
            read(self._rows.features), labels, None if self._rows.weights is None else read(self._rows.weights)
        )


def _cut(blocks: Iterator[_Block], bounds: Bounds) -> Iterator[_Block]:
    """The rows of the blocks, batch by batch."""
    block, at = next(blocks), 0
    for start, stop in bounds:
        parts, missing = list[_Block](), stop - start
        while missing:
            if at == len(block.labels):
                block, at = next(blocks), 0
            parts.append(block.part(at, at + missing))
            found = len(parts[-1].labels)
            at, missing = at + found, missing - found
        yield _joined(parts)


def _joined(parts: list[_Block]) -> _Block:
    """In memory of their own: where rows begin within a block decides how they are aligned, and so the last digits."""
    weights = [part.weights for part in parts if part.weights is not None]
    return _Block(
        torch.cat([part.features for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat(weights) if weights else None,
    )
