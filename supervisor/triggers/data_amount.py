"""Trigger every m rows: at followed rows m, 2m, …, floor(n/m) times on n rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.config import fields as f
from supervisor.triggers.policy import Batch, Decision, Observation, State, StreamStart, TriggerPolicy


class DataAmount(TriggerPolicy):
    """Every so many rows.

    Fires at the keys first + m − 1, first + 2m − 1, …; it needs no state, as keys say how many rows there were.
    """

    class Schema(f.Group):
        """Its options."""

        every = f.Whole("rows between two triggers", required=True, tuned=f.Tuned())

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every: int = options["every"]
        self._first_key = start.first_key

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first row that completes a multiple of m. O(1)."""
        key = batch.first_key + self._every - 1 - (batch.first_key - self._first_key) % self._every
        if key >= batch.stop_key:
            return Observation(state=state)
        reason = f"{self._every} rows since key {key - self._every + 1}"
        decision = Decision(key=key, timestamp_us=batch.time_at(key), reason=reason)
        return Observation(state=state, decision=decision, seen_key=key)

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How many rows of the next trigger are there."""
        return f"{(next_key - self._first_key) % self._every:,} of {self._every:,} rows to the next trigger"
