"""Which rows of a window are scored: those of its ranges of keys that are in all splits which are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Split
from shared.messages.rescore import KeyRange, Mask
from shared.split import SplitName, rows_in_split, seeds_of_column

Which = npt.NDArray[np.bool_]

# A range that begins inside a file's row group decodes the group from its start: one column is read in long pieces.
_KEYS_AT_ONCE = 262_144


class Columns(Protocol):
    """A dataset by column and range of keys; tables are pyarrow.Table."""

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int
    ) -> Iterator[tuple[int, Any]]:
        """(first key, table) for consecutive pieces of [first_key, stop_key)."""


class Piece(NamedTuple):
    """The rows [first_key, stop_key); either some of them are scored, or what needs no model only learns from them."""

    first_key: int
    stop_key: int
    counts: bool


class Counted:
    """The rows of a window that are scored."""

    def __init__(self, ranges: Sequence[KeyRange], masks: Sequence[Mask] = (), dataset: Columns | None = None) -> None:
        """`ranges`: ascending and apart, at least one; `dataset`: what masks split, if any do."""
        self.ranges, self._masks, self._dataset = ranges, masks, dataset

    @property
    def first_key(self) -> int:
        """Of all that count."""
        return self.ranges[0].first_key

    @property
    def stop_key(self) -> int:
        """Behind all that count."""
        return self.ranges[-1].last_key + 1

    def pieces(self, from_key: int) -> Iterator[Piece]:
        """All rows from a key on up to the last that counts."""
        for one in self.ranges:
            yield Piece(from_key, one.first_key, counts=False)
            yield Piece(one.first_key, from_key := one.last_key + 1, counts=True)

    def among(self, first_key: int, stop_key: int) -> Which:
        """Which of the rows [first_key, stop_key) of a range count, (rows,). Raises DataError."""
        if self._dataset is None:
            return np.ones(stop_key - first_key, bool)
        return in_all(self._dataset, first_key, stop_key, self._masks)


def in_all(dataset: Columns, first_key: int, stop_key: int, masks: Sequence[Mask]) -> Which:
    """Which of the rows [first_key, stop_key) are in the splits of all masks, (rows,). Raises DataError."""
    found = np.ones(stop_key - first_key, bool)
    for mask in masks:
        found &= split_mask(dataset, first_key, stop_key, mask.name, mask.split)
    return found


def split_mask(dataset: Columns, first_key: int, stop_key: int, name: SplitName | None, split: Split) -> Which:
    """Which of the rows [first_key, stop_key) belong to a split; shape (rows,)."""
    if name is None:
        return np.ones(stop_key - first_key, bool)
    if split.by is None:
        seeds = np.arange(first_key, stop_key, dtype=np.uint64)
    else:
        # In pieces, as files may write the column in different types.
        pieces = dataset.batches([split.by], first_key, stop_key, _KEYS_AT_ONCE)
        seeds = np.concatenate([seeds_of_column(piece.column(0)) for _, piece in pieces])
    return rows_in_split(seeds, name, test=split.test, validation=split.validation)
