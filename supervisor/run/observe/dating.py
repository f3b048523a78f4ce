"""Gives the followed rows their event times; counts those dated later than they can be, or at a change of clocks."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from shared.clock_changes import ClockChanges
from shared.dataset.event_time import NEVER_US, begin_us, running_event_time, sound
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from supervisor.core.events import Misdated


class Dating:
    """Event time, batch by batch."""

    def __init__(self, before_us: int | None = None) -> None:
        """`before_us`: event time at the row before the first; None: it is the first of all that are learned from."""
        self.event_time_us = before_us  # at the last row so far
        self.began_us: int | None = None  # at the first one
        self.misdated: Misdated | None = None
        self.clock_changes: ClockChanges | None = None

    def date(self, times: Times, first_key: int, dataset: TableDataset) -> npt.NDArray[np.int64] | None:
        """Event times of the next rows, shape (rows,); None while no row has a timestamp that it can have.

        Then the rows are to come again once there are more: they take the event time of the first that has.
        """
        timestamps_us = times.us
        believed_us = sound(timestamps_us, dataset.latest_us(first_key, first_key + len(timestamps_us)))
        if self.began_us is None:
            self.began_us = self._begin_us(int(believed_us[0]), first_key, dataset)
        self._count(timestamps_us, believed_us, first_key, dataset)
        if self.began_us is None:
            return None
        before_us = self.began_us if self.event_time_us is None else self.event_time_us
        event_time_us = running_event_time(believed_us, before_us)
        self.event_time_us = int(event_time_us[-1])
        clocks = (self.clock_changes or ClockChanges()).with_rows(times.marks, first_key, dataset.file_of)
        self.clock_changes = clocks if clocks.rows else None
        return event_time_us

    def _begin_us(self, first_us: int, first_key: int, dataset: TableDataset) -> int | None:
        """Event time at the first row; None while it is not known."""
        if self.event_time_us is not None:
            return max(first_us, self.event_time_us)
        return begin_us(dataset, first_key) if first_us == NEVER_US else first_us

    def _count(
        self,
        timestamps_us: npt.NDArray[np.int64],
        believed_us: npt.NDArray[np.int64],
        first_key: int,
        dataset: TableDataset,
    ) -> None:
        found = np.flatnonzero(believed_us == NEVER_US)
        if len(found) == 0:
            return
        if self.misdated is not None and self.event_time_us is not None:
            self.misdated = msgspec.structs.replace(self.misdated, rows=self.misdated.rows + len(found))
            return
        key = first_key + int(found[0])
        self.misdated = Misdated(
            rows=len(found),
            key=key,
            file=next(entry.file for entry in dataset.entries if key < entry.stop_key),
            timestamp_us=int(timestamps_us[found[0]]),
            latest_us=int(dataset.latest_us(key, key + 1)[0]),
        )
