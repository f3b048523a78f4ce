"""The first of some rows that fails a test, where any of them does."""

from __future__ import annotations

from collections.abc import Callable


def first_failing(rows: int, passes: Callable[[int, int], bool]) -> int:
    """Its number, the first row being 0, found by halves. `passes(first, stop)`: whether all rows of a stretch do.

    One of the rows does not pass.
    """
    first, stop = 0, rows
    while stop - first > 1:
        middle = (first + stop) // 2
        if passes(first, middle):
            first = middle
        else:
            stop = middle
    return first
