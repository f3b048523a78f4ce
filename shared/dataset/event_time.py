"""Event time: the largest timestamp seen so far that its row can have, and the keys at which it passes a moment.

A row that is dated later than its file was found, and `future_skew` later still, has a wrong timestamp: it does not
advance event time. When the file was found stands in the manifest, so everybody judges alike, whenever the row is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.dataset.manifest import ManifestEntry
from shared.timestamps import MICROSECONDS_PER_S

_ROWS_AT_FIRST, _ROWS_AT_ONCE = 1_000, 100_000
_ENDS_US = np.iinfo(np.int64)
NEVER_US = int(_ENDS_US.min)  # stands for a timestamp that is not to be believed; earlier than all others


class Timed(Protocol):
    """Anything that knows its rows' timestamps."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    def timestamps_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """Timestamps of the rows first_key … stop_key − 1, shape (stop_key − first_key,)."""
        ...

    def latest_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """The last moment at which each of these rows can be dated; the same shape."""
        ...


class Horizon:
    """The last moment at which a row can be dated: `future_skew` after its file was found."""

    def __init__(self, entries: Sequence[ManifestEntry], future_skew_s: float) -> None:
        skew_us = round(future_skew_s * MICROSECONDS_PER_S)
        ends = [
            min(one.discovered_us + skew_us, _ENDS_US.max) if one.discovered_us else _ENDS_US.max for one in entries
        ]
        self._latest_us = np.array(ends, np.int64)
        self._borders = np.array([0, *(one.stop_key for one in entries)], np.int64)

    def latest_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """For the rows [first_key, stop_key), shape (rows,). O(files + rows)."""
        return np.repeat(self._latest_us, np.diff(self._borders.clip(first_key, stop_key)))


def sound(timestamps_us: npt.NDArray[np.int64], latest_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The timestamps, with NEVER_US where a row cannot have the one it has. Shape (n,) → (n,)."""
    return np.where(timestamps_us > latest_us, NEVER_US, timestamps_us)


def sound_timestamps_us(rows: Timed, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
    """Those of the rows [first_key, stop_key), with NEVER_US where a row cannot have the one it has."""
    return sound(rows.timestamps_us(first_key, stop_key), rows.latest_us(first_key, stop_key))


def running_event_time(timestamps_us: npt.NDArray[np.int64], so_far_us: int | None) -> npt.NDArray[np.int64]:
    """The running maximum, from `so_far_us` on. Shape (n,) → (n,)."""
    running = np.maximum.accumulate(timestamps_us)
    return running if so_far_us is None else np.maximum(running, so_far_us)


def begin_us(rows: Timed, first_key: int) -> int | None:
    """Event time at the first row of a stream: the first timestamp that a row can have; None if there is none."""
    start, ahead = first_key, _ROWS_AT_FIRST
    while start < rows.rows:
        times = sound_timestamps_us(rows, start, min(start + ahead, rows.rows))
        believed = times != NEVER_US
        if believed.any():
            return int(times[believed.argmax()])
        start, ahead = start + ahead, min(2 * ahead, _ROWS_AT_ONCE)
    return None


def first_key_after(rows: Timed, timestamp_us: int, first_key: int, stop_key: int, so_far_us: int | None = None) -> int:
    """The first key in [first_key, stop_key) whose event time is later than `timestamp_us`, else `stop_key`.

    `so_far_us`: event time before first_key, or at it.
    """
    if so_far_us is not None and so_far_us > timestamp_us:
        return first_key
    for start in range(first_key, stop_key, _ROWS_AT_ONCE):
        later = sound_timestamps_us(rows, start, min(start + _ROWS_AT_ONCE, stop_key)) > timestamp_us
        if later.any():
            return start + int(later.argmax())
    return stop_key
