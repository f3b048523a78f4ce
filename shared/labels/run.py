"""A run: keys in order of their hash, in memory or in a file; and the merging of several into one."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.labels.key_hash import Keys
from shared.labels.placed import write_at
from shared.labels.resident import Resident

_WORD_BYTES = 8
_AT_ONCE = 1 << 20  # keys that a merge holds in memory


class Run:
    """Keys in order. Those of a file are mapped, and the file has no name any more: it goes with this process."""

    def __init__(self, keys: Keys, mapping: mmap.mmap | None = None) -> None:
        self.keys = keys
        self.rows = keys.rows
        self.low, self.high = keys.order[0], keys.order[-1]
        self._mapping = mapping

    def touch(self, resident: Resident, places: int, span: int) -> None:
        """So many places of a column are going to be read, within so many keys."""
        if self._mapping is not None:
            resident.touch(self._mapping, places, span * _WORD_BYTES)


def merged(runs: Sequence[Run], resident: Resident, path: Path | None) -> Run:
    """One run of all keys of several, in memory, or in a file at `path` for a while. Raises OSError."""
    if path is None:
        order = np.concatenate([run.keys.order for run in runs])
        index = np.argsort(order, kind="stable")
        ids = np.concatenate([run.keys.ids for run in runs])
        return Run(Keys(order[index], _checks([run.keys for run in runs], index), ids[index]))
    rows = sum(run.rows for run in runs)
    checked = any(run.keys.check is not None for run in runs)
    columns = 3 if checked else 2
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write(file, runs, resident, rows)
        mapping = mmap.mmap(file, rows * columns * _WORD_BYTES, access=mmap.ACCESS_READ)
    finally:
        os.close(file)
        path.unlink()
    words = np.frombuffer(mapping, np.uint64).reshape(columns, rows)
    return Run(Keys(words[0], words[2] if checked else None, words[1].view(np.int64)), mapping)


def _write(file: int, runs: Sequence[Run], resident: Resident, rows: int) -> None:
    """The columns one after the other: order, ids, and check where any has one."""
    done = 0
    checked = any(run.keys.check is not None for run in runs)
    for keys in _in_order(runs, resident):
        columns = [keys.order, keys.ids]
        if checked:
            columns.append(np.zeros(keys.rows, np.uint64) if keys.check is None else keys.check)
        for number, column in enumerate(columns):
            write_at(file, column, (number * rows + done) * _WORD_BYTES)
        done += keys.rows


def _in_order(runs: Sequence[Run], resident: Resident) -> Iterator[Keys]:
    """All keys of several runs in order, a part at a time."""
    step = max(_AT_ONCE // len(runs), 1)
    at = [0] * len(runs)
    while True:
        open_runs = [(number, run) for number, run in enumerate(runs) if at[number] < run.rows]
        if not open_runs:
            return
        bound = min(run.keys.order[min(at[number] + step, run.rows) - 1] for number, run in open_runs)
        below, equal = [], []
        for number, run in open_runs:
            order = run.keys.order[at[number] :]
            first, last = (at[number] + int(np.searchsorted(order, bound, side)) for side in ("left", "right"))
            below.append((run, at[number], first))
            equal.append((run, first, last))
            at[number] = last
        yield from _parts(below, equal, resident)


def _parts(below: list[tuple[Run, int, int]], equal: list[tuple[Run, int, int]], resident: Resident) -> Iterator[Keys]:
    """What comes before a bound, in order, and what equals it: that may be much, and needs no order."""
    if sum(stop - start for _, start, stop in equal) <= _AT_ONCE:
        below, equal = below + equal, []
    pieces = [_piece(*place, resident) for place in below if place[2] > place[1]]
    if len(pieces) == 1:
        yield pieces[0]
    elif pieces:
        order = np.concatenate([keys.order for keys in pieces])
        index = np.argsort(order, kind="stable")
        yield Keys(order[index], _checks(pieces, index), np.concatenate([keys.ids for keys in pieces])[index])
    for run, start, stop in equal:
        for first in range(start, stop, _AT_ONCE):
            yield _piece(run, first, min(first + _AT_ONCE, stop), resident)


def _piece(run: Run, start: int, stop: int, resident: Resident) -> Keys:
    run.touch(resident, stop - start, 3 * (stop - start))
    return run.keys.at(slice(start, stop))


def _checks(keys: Sequence[Keys], index: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64] | None:
    if all(one.check is None for one in keys):
        return None
    return np.concatenate([np.zeros(one.rows, np.uint64) if one.check is None else one.check for one in keys])[index]
