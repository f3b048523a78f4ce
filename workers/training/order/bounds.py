"""Where batches begin and end in the order of an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload


class Bounds(Sequence[tuple[int, int]]):
    """[start, stop) of one batch after the other, or of some of them; computed when asked for, so they take no memory.

    All are equally large, but for the last of an epoch.
    """

    def __init__(self, starts: range, batch_size: int, last: tuple[int, int]) -> None:
        """`last`: the bounds of the epoch's last batch."""
        self._starts, self._batch_size, self._last = starts, batch_size, last

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> tuple[int, int]: ...

    @overload
    def __getitem__(self, place: slice) -> Bounds: ...

    def __getitem__(self, place: int | slice) -> tuple[int, int] | Bounds:
        if isinstance(place, slice):
            return Bounds(self._starts[place], self._batch_size, self._last)
        start = self._starts[place]
        return self._last if start == self._last[0] else (start, start + self._batch_size)


def batch_bounds(rows: int, batch_size: int, *, lone_row_allowed: bool) -> Bounds:
    """Of all batches of an epoch of so many rows; the last may be short.

    Batch normalisation cannot learn from one row: where it is not allowed, a lone last row joins the batch before.
    """
    starts = range(0, rows, batch_size)
    if not lone_row_allowed and len(starts) > 1 and batch_size > 1 and rows - starts[-1] == 1:
        starts = starts[:-1]
    return Bounds(starts, batch_size, (starts[-1] if starts else 0, rows))
