"""Event times of the rows that a strategy is given: the running maximum over all followed rows, read when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from shared.dataset.event_time import NEVER_US, begin_us, running_event_time, sound
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.strategies.strategy import Keys, Times
from workers.selection.known import Known


class EventTimes:
    """Those up to the last row whose label is known. Methods raise DataError."""

    def __init__(self, dataset: TableDataset, known: Known) -> None:
        self._dataset, self._first_key = dataset, known.first_key
        self._stop_key = known.first_key if known.labelled_key is None else known.labelled_key + 1
        self._last_us: int | None = None

    def last_us(self) -> int:
        """At that last row. O(rows) for the first time."""
        if self._last_us is None:
            self._last_us = max((int(times[-1]) for _, times in self._running()), default=NEVER_US)
        return self._last_us

    def of(self, pieces: Iterable[Keys]) -> Iterator[tuple[Keys, Times]]:
        """Of the rows of each piece, whose keys ascend over all of them; O(rows) in all, in the memory of a piece."""
        running = self._running()
        start, times = self._first_key, np.empty(0, np.int64)
        for keys in pieces:
            parts, done = [], 0
            while done < len(keys):
                here = int(np.searchsorted(keys, start + len(times)))
                parts.append(times[keys[done:here] - start])
                done = here
                if done < len(keys):
                    start, times = next(running)
            yield keys, np.concatenate([np.empty(0, np.int64), *parts])

    def _running(self) -> Iterator[tuple[int, Times]]:
        """(first key, event times) of all rows, piece by piece."""
        key, stop_key = self._first_key, self._stop_key
        if key >= stop_key:
            return
        so_far_us = begin_us(self._dataset, key)
        for timestamps_us in self._dataset.timestamp_batches(key, stop_key, ROWS_AT_ONCE):
            latest_us = self._dataset.latest_us(key, key + len(timestamps_us))
            times = running_event_time(sound(timestamps_us, latest_us), so_far_us)
            yield key, times
            key, so_far_us = key + len(times), int(times[-1])
