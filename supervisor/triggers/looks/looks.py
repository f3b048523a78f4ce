"""When a policy looks: every so many rows, or every so much event time, from the first followed row on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.timestamps import format_foretold
from supervisor.triggers.looks.span import Length, Span
from supervisor.triggers.policy import Batch, StreamStart


class Looks:
    """The rows at which a policy looks.

    Every n rows: the first followed row is number 1, and it looks at n, 2n, … Every so much event time: at the first
    row at which that reaches the first followed row's plus one, two, … such durations; once after a gap of several.
    """

    def __init__(self, every: Length, start: StreamStart) -> None:
        span = Span(every)
        self._rows, self._every_us, self._start = span.rows or 0, span.us, start

    def among(self, batch: Batch) -> npt.NDArray[np.int64]:
        """The keys of a batch at which it looks, ascending."""
        if self._every_us is None:
            first = batch.first_key + self._rows - 1 - (batch.first_key - self._start.first_key) % self._rows
            return np.arange(first, batch.stop_key, self._rows)
        before_us = self._start.event_time_us if batch.before_us is None else batch.before_us
        periods = (batch.event_time_us - self._start.event_time_us) // self._every_us
        return batch.first_key + np.flatnonzero(np.diff(periods, prepend=self._period(before_us)))

    def waits_for(self, next_key: int, event_time_us: int) -> str:
        """How far it is to the next look, for people; `event_time_us`: at the row before `next_key`."""
        if self._every_us is None:
            seen = (next_key - self._start.first_key) % self._rows
            return f"{seen:,} of {self._rows:,} rows to the next look"
        begins_us = self._start.event_time_us + (self._period(event_time_us) + 1) * self._every_us
        return f"the next look when event time reaches {format_foretold(begins_us)}"

    def _period(self, event_time_us: int) -> int:
        assert self._every_us is not None, "it looks by rows"
        return (event_time_us - self._start.event_time_us) // self._every_us
