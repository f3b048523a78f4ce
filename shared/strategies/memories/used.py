"""Used: the set of rows that were ever chosen, in a bit or two bytes each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.strategies.draws import Keys

_BITS = 16
_ROWS = 1 << _BITS  # of a block
_WHOLE_BYTES = _ROWS // 8

Mask = npt.NDArray[np.bool_]


class Used:
    """A set of keys ≥ 0. It grows with the rows that were used, not with those there are.

    A state is an Arrow table: `block`, int64, ascending, and `rows`, large_binary. A block is 65,536 keys in a row, and
    only those are there of which a key is in the set. Its rows are 8,192 bytes of a bit each, or, where that takes
    less, two bytes for each that is in the set (Chambi, Lemire, Kaser and Godin's Roaring bitmaps, Software: Practice
    and Experience 46, 2016).
    """

    SCHEMA = pa.schema([("block", pa.int64()), ("rows", pa.large_binary())])

    def __init__(self, state: pa.Table | None = None) -> None:
        """None: the empty set."""
        columns = ([], []) if state is None else (state["block"].to_pylist(), state["rows"].to_pylist())
        self._blocks: dict[int, bytes] = dict(zip(*columns, strict=True))

    def among(self, keys: Keys) -> Mask:
        """Which of ascending keys are in the set, (n,)."""
        found = np.zeros(len(keys), np.bool_)
        for block, here, rows in _by_block(keys):
            if block in self._blocks:
                found[here] = _unpacked(self._blocks[block])[rows]
        return found

    def after(self, keys: Keys) -> pa.Table:
        """The state with these ascending keys, too."""
        blocks = dict(self._blocks)
        for block, _, rows in _by_block(keys):
            bits = _unpacked(blocks.get(block, b""))
            bits[rows] = True
            blocks[block] = _packed(bits)
        names = sorted(blocks)
        return pa.table({"block": names, "rows": [blocks[name] for name in names]}, schema=self.SCHEMA)


def _by_block(keys: Keys) -> Iterator[tuple[int, slice, Keys]]:
    """Each block, which of the keys are in it, and where there."""
    blocks = keys >> _BITS
    borders = (np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist()
    for start, stop in pairwise([0, *borders, len(keys)] if len(keys) else []):
        yield int(blocks[start]), slice(start, stop), keys[start:stop] & (_ROWS - 1)


def _packed(bits: Mask) -> bytes:
    rows = np.flatnonzero(bits)
    return rows.astype("<u2").tobytes() if 2 * len(rows) < _WHOLE_BYTES else np.packbits(bits).tobytes()


def _unpacked(rows: bytes) -> Mask:
    if len(rows) == _WHOLE_BYTES:
        return np.unpackbits(np.frombuffer(rows, np.uint8)).astype(np.bool_)
    bits = np.zeros(_ROWS, np.bool_)
    bits[np.frombuffer(rows, "<u2")] = True
    return bits
