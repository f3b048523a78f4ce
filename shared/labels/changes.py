"""When the label that is known of a row changes: worked out for each stretch of rows, kept in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.labels.pairs import Pairs
from shared.labels.placed import write_at

Whole = npt.NDArray[np.int64]
Changes = npt.NDArray[np.void]

CHANGE = np.dtype([("e", "<i8"), ("row", "<i8"), ("value", "<f8"), ("before", "<f8"), ("moment_us", "<i8")])
_BEFORE_ALL = -1  # the key at which what was known earlier stands
_AT_ONCE = 1 << 18
_LARGEST = int(np.iinfo(np.int64).max)


def simple_changes(pairs: Pairs, keys: Whole, moments_us: Whole) -> Changes:
    """The changes at `keys`, (n,), that pairs make which are the only ones of their rows."""
    made = np.empty(pairs.size, CHANGE)
    made["e"], made["row"], made["moment_us"] = keys, pairs.rows, moments_us
    made["value"], made["before"] = pairs.values, np.nan
    return made


def mixed_changes(pairs: Pairs, keys: Whole, moments_us: Whole, earlier: Pairs) -> Changes:
    """The changes at `keys`, (n,), that pairs make whose rows may have several, some of them known `earlier`.

    At each key the value is that of the greatest (known_at, position) known by then; where it is as before, nothing
    changed.
    """
    known = np.r_[earlier.known_us, pairs.known_us]
    positions = np.r_[earlier.positions, pairs.positions]
    rows, values = np.r_[earlier.rows, pairs.rows], np.r_[earlier.values, pairs.values]
    at = np.r_[np.full(earlier.size, _BEFORE_ALL), keys]
    moments_us = np.r_[np.zeros(earlier.size, np.int64), moments_us]
    by_rank = np.lexsort((positions, known))
    rank = np.empty(len(rows), np.int64)
    rank[by_rank] = np.arange(len(rows))
    order = np.lexsort((at, rows))
    rows, at, rank, moments_us = rows[order], at[order], rank[order], moments_us[order]
    new_row = np.r_[True, rows[1:] != rows[:-1]]
    base = (np.cumsum(new_row) - 1) * len(rows)
    best = by_rank[np.maximum.accumulate(base + rank) - base]  # of the row, up to here
    starts = np.flatnonzero(np.r_[True, new_row[1:] | (at[1:] != at[:-1])])  # of each (row, key)
    ends = np.r_[starts[1:], len(rows)] - 1
    value = values[best[ends]]
    before = np.where(new_row[starts], np.nan, np.r_[np.nan, value[:-1]])
    made = np.empty(len(starts), CHANGE)
    made["e"], made["row"], made["value"], made["before"] = at[starts], rows[starts], value, before
    made["moment_us"] = np.minimum.reduceat(moments_us, starts)
    return np.asarray(made[(made["e"] != _BEFORE_ALL) & (value != before)])


def in_order(parts: list[Changes]) -> Changes:
    """Changes by key, then by row."""
    together = np.concatenate(parts) if len(parts) > 1 else parts[0]
    return np.asarray(together[_by_key_and_row(together["e"], together["row"])])


def _by_key_and_row(keys: Whole, rows: Whole) -> Whole:
    """The order by key, then by row: of both in one number where they fit, as that is sorted sooner."""
    if not len(keys):
        return keys
    first_key, first_row = int(keys.min()), int(rows.min())
    width = int(rows.max()) - first_row + 1
    if (int(keys.max()) - first_key + 1) * width >= _LARGEST:
        return np.lexsort((rows, keys))
    return np.argsort((keys - first_key) * width + (rows - first_row))


def first_ones(changes: Changes) -> Changes:
    """Those by which a row became known."""
    return np.asarray(changes[np.isnan(changes["before"])])


class ChangeLog:
    """The end of the file of changes, to which the writer appends."""

    def __init__(self, path: Path) -> None:
        path.touch(exist_ok=False)
        self._path, self._bytes = path, 0

    def append(self, changes: Changes) -> None:
        """Write changes, which come after all before them. Raises OSError."""
        file = os.open(self._path, os.O_WRONLY)
        try:
            self._bytes = write_at(file, changes, self._bytes)
        finally:
            os.close(file)


class ChangeFile:
    """The file of changes, as one reads it while it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def between(self, first_e: int, stop_e: int) -> Iterator[Changes]:
        """Changes with first_e <= e < stop_e, in order, some at a time."""
        try:
            file = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            count = os.fstat(file).st_size // CHANGE.itemsize
            at, stop = (_place(file, count, key) for key in (first_e, stop_e))
            while at < stop:
                some = _read(file, at, min(_AT_ONCE, stop - at))
                yield some
                at += len(some)
        finally:
            os.close(file)


def _place(file: int, count: int, key: int) -> int:
    """How many changes come before the first with e >= key."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if _read(file, middle, 1)["e"][0] < key:
            low = middle + 1
        else:
            high = middle
    return low


def _read(file: int, at: int, count: int) -> Changes:
    body = os.pread(file, count * CHANGE.itemsize, at * CHANGE.itemsize)
    return np.frombuffer(body, CHANGE, len(body) // CHANGE.itemsize)
