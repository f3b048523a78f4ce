"""Rows that are not known yet, and up to which key none of them waits any more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]

_LEAST = 1024


class OpenRows:
    """Keys and event times of rows, ascending, from which rows leave when they are known or too old.

    The room is that of twice the rows that wait between the oldest and the newest; who left is cleared away when half
    of them did.
    """

    def __init__(self) -> None:
        self._keys = np.empty(_LEAST, np.int64)
        self._times = np.empty(_LEAST, np.int64)
        self._open = np.empty(_LEAST, np.bool_)
        self._start = self._stop = 0  # the first is open, if there is any
        self.count = 0

    def add(self, keys: Whole, times_us: Whole) -> None:
        """The next rows wait."""
        if self._stop + len(keys) > len(self._keys):
            self._make_room(len(keys))
        place = slice(self._stop, self._stop + len(keys))
        self._keys[place], self._times[place], self._open[place] = keys, times_us, True
        self._stop += len(keys)
        self.count += len(keys)

    def remove(self, keys: Whole) -> None:
        """These rows wait no more; those that did not are no error."""
        there = self._keys[self._start : self._stop]
        if not len(there) or not len(keys):
            return
        keys = np.sort(keys)
        at = np.searchsorted(there, keys)
        same = (there[np.minimum(at, len(there) - 1)] == keys) & np.r_[True, keys[1:] != keys[:-1]]
        found = at[same] + self._start
        self.count -= int(np.count_nonzero(self._open[found]))
        self._open[found] = False
        self._go_on()

    def give_up(self, before_us: int) -> None:
        """Rows whose event time is before a moment wait no more."""
        stop = self._start + int(np.searchsorted(self._times[self._start : self._stop], before_us, "left"))
        self.count -= int(self._open[self._start : stop].sum())
        self._start = stop
        self._go_on()

    @property
    def first(self) -> int | None:
        """The first key that waits."""
        return int(self._keys[self._start]) if self._start < self._stop else None

    def _go_on(self) -> None:
        step = _LEAST
        while self._start < self._stop:
            some = self._open[self._start : min(self._start + step, self._stop)]
            at = int(np.argmax(some))
            if some[at]:
                self._start += at
                return
            self._start += len(some)
            step *= 2

    def _make_room(self, more: int) -> None:
        stays = np.flatnonzero(self._open[self._start : self._stop]) + self._start
        size = max(2 * (len(stays) + more), _LEAST)
        for name in ("_keys", "_times", "_open"):
            old = getattr(self, name)
            new = np.empty(size, old.dtype)
            new[: len(stays)] = old[stays]
            setattr(self, name, new)
        self._start, self._stop = 0, len(stays)
