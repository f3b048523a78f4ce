"""When a policy looks at what has arrived: every so many rows, or every so much event time. It needs no memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.timestamps import MICROSECONDS_PER_S, format_foretold
from supervisor.triggers.policy import Batch, StreamStart


class Span(f.Sentence):
    """A number of rows or a duration; loads as `{"rows": n}` or `{"s": seconds}`."""

    kind = "whole number of rows | duration"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return {"s": f.Duration("").deserialize(value)}
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(
                f"{f.quoted(value)} is neither a number of rows nor a duration; write one such as 500 or 1d."
            )
        return {"rows": f.Whole("").deserialize(value)}

    def written(self, value: Any) -> Any:
        """The one or the other."""
        return value["rows"] if "rows" in value else as_written(f.Duration(""), value["s"])


class Looks:
    """The rows at which a policy looks, after it has seen them.

    Every n rows: at followed rows n, 2n, …; every so much event time: at the first row of each later period, counted
    from the first followed row, one look a gap.
    """

    def __init__(self, every: Mapping[str, Any], start: StreamStart) -> None:
        """`every`: as `Span` loads it."""
        self._rows: int | None = every.get("rows")
        self._every_us: int = round(every.get("s", 0) * MICROSECONDS_PER_S)
        self._start = start

    def first(self, batch: Batch) -> int | None:
        """The first of these rows at which to look, if any."""
        if self._rows is not None:
            left = -(batch.first_key + 1 - self._start.first_key) % self._rows
            return batch.first_key + left if left < len(batch.event_time_us) else None
        before_us = self._start.event_time_us if batch.before_us is None else batch.before_us
        periods = (batch.event_time_us - self._start.event_time_us) // self._every_us
        later = np.diff(periods, prepend=self._period(before_us)) > 0
        return batch.first_key + int(later.argmax()) if later.any() else None

    def waits_for(self, next_key: int, event_time_us: int) -> str:
        """How far it is to the next look; `event_time_us`: at the row before `next_key`."""
        if self._rows is not None:
            seen = (next_key - self._start.first_key) % self._rows
            return f"{seen:,} of {self._rows:,} rows to the next look"
        reached_us = self._start.event_time_us + (self._period(event_time_us) + 1) * self._every_us
        return f"the next look when event time reaches {format_foretold(reached_us)}"

    def _period(self, event_time_us: int) -> int:
        return (event_time_us - self._start.event_time_us) // self._every_us
