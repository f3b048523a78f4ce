"""Event time: the largest timestamp seen so far, and the keys at which it passes a moment."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

_ROWS_AT_ONCE = 100_000


class Timed(Protocol):
    """Anything that knows its rows' timestamps."""

    def timestamps_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """Timestamps of the rows first_key … stop_key − 1, shape (stop_key − first_key,)."""
        ...


def running_event_time(timestamps_us: npt.NDArray[np.int64], so_far_us: int | None) -> npt.NDArray[np.int64]:
    """The running maximum, from `so_far_us` on. Shape (n,) → (n,)."""
    running = np.maximum.accumulate(timestamps_us)
    return running if so_far_us is None else np.maximum(running, so_far_us)


def first_key_after(rows: Timed, timestamp_us: int, first_key: int, stop_key: int) -> int:
    """The first key in [first_key, stop_key) whose timestamp is later than `timestamp_us`, else `stop_key`."""
    for start in range(first_key, stop_key, _ROWS_AT_ONCE):
        later = rows.timestamps_us(start, min(start + _ROWS_AT_ONCE, stop_key)) > timestamp_us
        if later.any():
            return start + int(later.argmax())
    return stop_key
