"""When a policy looks: every so many rows, or every so much event time, from the first followed row on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.timestamps import MICROSECONDS_PER_S, format_foretold
from supervisor.triggers.policy import Batch, StreamStart

Length = Mapping[str, Any]  # {"rows": n, "last_s": None}, or {"rows": None, "last_s": s}


class Every(f.Sentence):
    """A number of rows, or a duration; loads as a Length."""

    kind = "whole number | duration"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return {"rows": None, "last_s": f.Duration("").deserialize(value)}
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(
                f"{f.quoted(value)} is neither a number of rows, such as 500, nor a duration like 1d."
            )
        return {"rows": f.Whole("").deserialize(value), "last_s": None}

    def written(self, value: Any) -> Any:
        """The one that it is."""
        return value["rows"] if value["rows"] is not None else as_written(f.Duration(""), value["last_s"])


class Looks:
    """The rows at which a policy looks.

    Every n rows: the first followed row is number 1, and it looks at n, 2n, … Every so much event time: at the first
    row at which that reaches the first followed row's plus one, two, … such durations; once after a gap of several.
    """

    def __init__(self, every: Length, start: StreamStart) -> None:
        self._rows, self._start = every["rows"], start
        self._every_us: int | None = None if every["last_s"] is None else round(every["last_s"] * MICROSECONDS_PER_S)

    def among(self, batch: Batch) -> npt.NDArray[np.int64]:
        """The keys of a batch at which it looks, ascending."""
        if self._every_us is None:
            first = batch.first_key + self._rows - 1 - (batch.first_key - self._start.first_key) % self._rows
            return np.arange(first, batch.stop_key, self._rows)
        before_us = self._start.event_time_us if batch.before_us is None else batch.before_us
        periods = (batch.event_time_us - self._start.event_time_us) // self._every_us
        return batch.first_key + np.flatnonzero(np.diff(periods, prepend=self._period(before_us)))

    def next(self, next_key: int, event_time_us: int) -> str:
        """When it looks next, for people; `event_time_us`: at the row before `next_key`."""
        if self._every_us is None:
            seen = (next_key - self._start.first_key) % self._rows
            return f"{seen:,} of {self._rows:,} rows to the next look"
        begins_us = self._start.event_time_us + (self._period(event_time_us) + 1) * self._every_us
        return f"the next look when event time reaches {format_foretold(begins_us)}"

    def _period(self, event_time_us: int) -> int:
        assert self._every_us is not None, "it looks by rows"
        return (event_time_us - self._start.event_time_us) // self._every_us
