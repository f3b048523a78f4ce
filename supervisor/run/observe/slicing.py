"""Cuts the stream into the slices of an `every` window, exactly, at any batch borders."""

from __future__ import annotations

import numpy as np

from supervisor.core.seen import Slice
from supervisor.core.state import RunState
from supervisor.triggers.policy import Batch


class Slicer:
    """Slices of `every_us` of event time, from the first followed row's event time; slices without rows are none."""

    def __init__(self, window: str, every_us: int) -> None:
        self.window = window
        self._every_us = every_us
        self._anchor_us: int | None = None
        self._number = 0  # of the open slice
        self._first_key = 0
        self._event_time_before_us: int | None = None  # the running maximum before the open slice
        self._event_time_us: int | None = None  # at the last row

    @classmethod
    def of(cls, window: str, every_us: int, state: RunState) -> Slicer:
        """That of a run, at the last row that it has seen."""
        slicer, stream = cls(window, every_us), state.stream
        if stream.began_us is None or stream.event_time_us is None:
            return slicer
        slicer._anchor_us, slicer._first_key = stream.began_us, state.started.first_key
        slicer._event_time_us = stream.event_time_us
        slicer._number = (stream.event_time_us - stream.began_us) // every_us
        last = stream.cut.get(window)
        if last is not None:
            slicer._first_key, slicer._event_time_before_us = last.last_key + 1, last.last_us
        return slicer

    def observe(self, batch: Batch) -> list[Slice]:
        """The slices that this batch closes. O(rows + slices closed)."""
        if self._anchor_us is None:
            self._anchor_us, self._first_key = int(batch.event_time_us[0]), batch.first_key
        numbers = (batch.event_time_us - self._anchor_us) // self._every_us
        starts = np.flatnonzero(np.diff(numbers, prepend=self._number))
        closed = []
        for start in starts.tolist():
            self._event_time_us = batch.time_at(batch.first_key + start - 1)
            closed += self.close(batch.first_key + start - 1)
            self._number = int(numbers[start])
            self._first_key = batch.first_key + start
            self._event_time_before_us = self._event_time_us
        self._event_time_us = int(batch.event_time_us[-1])
        return closed

    def close(self, last_key: int) -> list[Slice]:
        """The open slice up to `last_key`, the last row so far, if it has rows."""
        if self._anchor_us is None or last_key < self._first_key:
            return []
        return [
            Slice(
                window=self.window,
                start_us=self._anchor_us + self._number * self._every_us,
                first_key=self._first_key,
                last_key=last_key,
                event_time_us=self._event_time_before_us,
                last_us=self._event_time_us,
            )
        ]
