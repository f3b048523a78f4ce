"""Trigger every so much event time: on the first row that reaches anchor + k · every."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shared.config import fields as f
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp
from supervisor.triggers.policy import Batch, Decision, StreamStart, TriggerPolicy


class Time(TriggerPolicy):
    """Every so much event time.

    Fires when event time enters a later period; the trigger's last row is the row before, one trigger a gap.
    """

    class Schema(f.Group):
        """Its options."""

        every_s = f.Duration("event time between two triggers", required=True, data_key="every")
        anchor_us = f.Moment("where periods start; else the first followed row", load_default=None, data_key="anchor")

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every_us = every_us = round(options["every_s"] * MICROSECONDS_PER_S)
        anchor_us: int | None = options["anchor_us"]
        self._anchor_us = start.event_time_us if anchor_us is None else anchor_us
        self._period = (start.event_time_us - self._anchor_us) // every_us
        self._event_time_us = start.event_time_us  # at the row before the batch

    def observe(self, batch: Batch) -> list[Decision]:
        """One decision for each row that begins a later period than the row before it. O(rows + decisions)."""
        if len(batch.event_time_us) == 0:
            return []
        periods = (batch.event_time_us - self._anchor_us) // self._every_us
        begins = np.flatnonzero(np.diff(periods, prepend=self._period)).tolist()
        decisions = [
            Decision(
                key=batch.first_key + row - 1,
                timestamp_us=int(batch.event_time_us[row - 1]) if row else self._event_time_us,
                reason=f"event time reached {self._beginning(int(periods[row]))}",
            )
            for row in begins
        ]
        self._period, self._event_time_us = int(periods[-1]), int(batch.event_time_us[-1])
        return decisions

    def waits_for(self) -> str:
        """The event time at which it fires next."""
        return f"the next trigger when event time reaches {self._beginning(self._period + 1)}"

    def _beginning(self, period: int) -> str:
        return format_timestamp(self._anchor_us + period * self._every_us)
