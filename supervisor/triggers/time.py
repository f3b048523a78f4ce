"""Trigger every so much event time: on the first row that reaches anchor + k · every."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shared.config import fields as f
from shared.timestamps import MICROSECONDS_PER_S, format_foretold, format_timestamp
from supervisor.triggers.policy import Batch, Decision, Observation, State, StreamStart, TriggerPolicy


class Time(TriggerPolicy):
    """Every so much event time.

    Fires when event time enters a later period; the trigger's last row is the row before, one trigger a gap. It needs
    no state, as the event time before a row says in which period that was.
    """

    class Schema(f.Group):
        """Its options."""

        every_s = f.Duration("event time between two triggers", required=True, data_key="every", tuned=f.Tuned())
        anchor_us = f.Moment("where periods start; else the first followed row", load_default=None, data_key="anchor")

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every_us: int = round(options["every_s"] * MICROSECONDS_PER_S)
        anchor_us: int | None = options["anchor_us"]
        self._start_us = start.event_time_us
        self._anchor_us: int = start.event_time_us if anchor_us is None else anchor_us

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first row in a later period than the row before the batch. O(log rows)."""
        before_us = self._start_us if batch.before_us is None else batch.before_us
        row = int(np.searchsorted(batch.event_time_us, self._beginning_us(self._period(before_us) + 1)))
        if row == len(batch.event_time_us):
            return Observation(state=state)
        seen_key = batch.first_key + row
        reached = self._beginning_us(self._period(batch.time_at(seen_key)))
        decision = Decision(
            key=seen_key - 1,
            timestamp_us=batch.time_at(seen_key - 1),
            reason=f"event time reached {format_timestamp(reached)}",
        )
        return Observation(state=state, decision=decision, seen_key=seen_key)

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """The event time at which it fires next."""
        beginning_us = self._beginning_us(self._period(event_time_us) + 1)
        return f"the next trigger when event time reaches {format_foretold(beginning_us)}"

    def _period(self, event_time_us: int) -> int:
        return (event_time_us - self._anchor_us) // self._every_us

    def _beginning_us(self, period: int) -> int:
        return self._anchor_us + period * self._every_us
