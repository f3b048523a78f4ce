"""Trigger every m rows: at followed rows m, 2m, …, floor(n/m) times on n rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.config import fields as f
from supervisor.triggers.policy import Batch, Decision, StreamStart, TriggerPolicy


class DataAmount(TriggerPolicy):
    """Every so many rows.

    Fires at the keys first + m − 1, first + 2m − 1, …
    """

    class Schema(f.Group):
        """Its options."""

        every = f.Whole("rows between two triggers", required=True)

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every: int = options["every"]
        self._first_key = start.first_key
        self._seen = 0  # rows

    def observe(self, batch: Batch) -> list[Decision]:
        """One decision for each multiple of m that the batch completes. O(decisions)."""
        seen = batch.first_key - self._first_key
        first = batch.first_key + (-(seen + 1) % self._every)
        stop = batch.first_key + len(batch.event_time_us)
        self._seen = stop - self._first_key
        return [
            Decision(
                key=key,
                timestamp_us=int(batch.event_time_us[key - batch.first_key]),
                reason=f"{self._every} rows since key {key - self._every + 1}",
            )
            for key in range(first, stop, self._every)
        ]

    def waits_for(self) -> str:
        """How many rows of the next trigger are there."""
        return f"{self._seen % self._every:,} of {self._every:,} rows to the next trigger"
