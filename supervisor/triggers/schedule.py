"""Trigger at the moments of a cron expression, in event time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.time_column import Zone
from shared.timestamps import format_timestamp
from supervisor.triggers.looks.cron import EXAMPLE, Cron
from supervisor.triggers.policy import Batch, Decision, Observation, State, StreamStart, TriggerPolicy


class Expression(f.Text):
    """A cron expression that has moments."""

    kind = "cron expression"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f"{f.quoted(value)} is not a text; write such as {EXAMPLE}.")
        try:
            Cron(value, "UTC")
        except ValueError as error:
            raise ValidationError(f"{f.quoted(value)} {error}") from None
        return value


class Schedule(TriggerPolicy):
    """At the moments of a cron expression, in event time.

    Fires when event time reaches a later moment than before; the trigger's last row is the row before, one trigger a
    gap. It needs no state, as the event time before a row says which moment is the next.
    """

    class Schema(f.Group):
        """Its options."""

        cron = Expression(
            f"minute, hour, day of the month, month, day of the week, such as {EXAMPLE}; or @daily and the like",
            required=True,
        )
        timezone = Zone("whose clocks it means, such as Europe/Zurich", load_default="UTC")

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._cron = Cron(options["cron"], options["timezone"])
        self._start_us = start.event_time_us

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first row that reaches a moment which the row before the batch had not. O(log rows)."""
        before_us = self._start_us if batch.before_us is None else batch.before_us
        moment_us = self._cron.next_us(before_us)
        if moment_us is None or batch.event_time_us[-1] < moment_us:
            return Observation(state=state)
        row = int(np.searchsorted(batch.event_time_us, moment_us))
        seen_key = batch.first_key + row
        decision = Decision(
            key=seen_key - 1,
            timestamp_us=batch.time_at(seen_key - 1),
            reason=f"event time reached {format_timestamp(moment_us)}",
        )
        return Observation(state=state, decision=decision, seen_key=seen_key)

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """The moment at which it fires next."""
        moment_us = self._cron.next_us(event_time_us)
        return "" if moment_us is None else f"the next trigger when event time reaches {format_timestamp(moment_us)}"
