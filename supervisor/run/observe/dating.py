"""Gives the followed rows their event times; counts those dated later than they can be, or at a change of clocks."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from shared.clock_changes import ClockChanges
from shared.dataset.event_time import NEVER_US, begin_us, running_event_time, sound
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from supervisor.core.seen import Misdated
from supervisor.core.state import RunState
from supervisor.triggers.policy import Batch


class Dated(NamedTuple):
    """Rows with their event times, which count once they are taken."""

    batch: Batch
    times: Times
    believed_us: npt.NDArray[np.int64]  # NEVER_US where a row cannot have the timestamp that it has

    def cut(self, stop_key: int) -> tuple[Dated, Dated | None]:
        """Those before a key, at least one, and the others, if there are any. O(1)."""
        batch = self.batch
        if stop_key == batch.stop_key:
            return self, None
        return self._part(batch.first_key, stop_key), self._part(stop_key, batch.stop_key)

    def _part(self, first_key: int, stop_key: int) -> Dated:
        start, stop = first_key - self.batch.first_key, stop_key - self.batch.first_key
        return Dated(self.batch.part(first_key, stop_key), self.times.rows(start, stop), self.believed_us[start:stop])


class Dating:
    """Event time, batch by batch."""

    def __init__(self, before_us: int | None = None) -> None:
        """`before_us`: event time at the row before the first; None: it is the first of all that are learned from."""
        self.event_time_us = before_us  # at the last row that was taken
        self.began_us: int | None = None  # at the first one
        self.misdated: Misdated | None = None
        self.clock_changes: ClockChanges | None = None

    @classmethod
    def of(cls, state: RunState) -> Dating:
        """That of a run, at the last row that it has seen."""
        stream, everything = state.stream, state.started.everything
        dating = cls(None if everything is None else everything.timestamp_us)
        if stream.event_time_us is not None:
            dating.event_time_us = stream.event_time_us
        dating.began_us, dating.misdated = stream.began_us, stream.misdated
        dating.clock_changes = stream.clock_changes if stream.clock_changes.rows else None
        return dating

    def date(self, times: Times, first_key: int, dataset: TableDataset) -> Dated | None:
        """The next rows with their event times; None while no row has a timestamp that it can have.

        Then the rows are to come again once there are more: they take the event time of the first that has.
        """
        believed_us = sound(times.us, dataset.latest_us(first_key, first_key + len(times.us)))
        if self.began_us is None:
            is_first, self.began_us = True, self._begin_us(int(believed_us[0]), first_key, dataset)
        else:
            is_first = False
        if self.began_us is None:
            self._count(times.us, believed_us, first_key, dataset)
            return None
        before_us = self.began_us if self.event_time_us is None else self.event_time_us
        batch = Batch(
            first_key=first_key,
            timestamps_us=times.us,
            event_time_us=running_event_time(believed_us, before_us),
            before_us=None if is_first else before_us,
        )
        return Dated(batch, times, believed_us)

    def take(self, dated: Dated, dataset: TableDataset) -> None:
        """These rows were seen, and count."""
        first_key = dated.batch.first_key
        self._count(dated.times.us, dated.believed_us, first_key, dataset)
        self.event_time_us = int(dated.batch.event_time_us[-1])
        clocks = (self.clock_changes or ClockChanges()).with_rows(dated.times.marks, first_key, dataset.file_of)
        self.clock_changes = clocks if clocks.rows else None

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
