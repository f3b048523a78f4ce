"""Policy cost_periodic: retrain with a period, the first time after an offset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.config import fields as f
from shared.timestamps import MICROSECONDS_PER_S
from shared.words import counted
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided
from supervisor.triggers.looks.span import Span, SpanField
from supervisor.triggers.policy import Batch, Observation, State, StreamStart, TriggerPolicy


class CostPeriodic(TriggerPolicy):
    """Every so many rows or so much event time, from an offset on.

    The periodic variant of CARA (Mahadevan and Mathioudakis, Knowledge-Based Systems 2024): it weighs nothing while it
    runs; its two numbers are what costs on a history are minimised over.
    """

    class Schema(f.Group):
        """Its options."""

        every = SpanField("the period, in rows or event time", required=True, tuned=f.Tuned())
        offset = SpanField(
            "from the first followed row to the first trigger, at most a period; else one",
            load_default=None,
            tuned=f.Tuned(otherwise="every", within="every"),
        )

        @f.validates_schema
        def _within(self, data: dict[str, Any], **_: Any) -> None:
            every, offset = data["every"], data["offset"] or data["every"]
            unit = "duration_s" if every["rows"] is None else "rows"
            if offset[unit] is None:
                raise ValidationError({"offset": ["counts in another unit than every; write both as rows or as time."]})
            if offset[unit] > every[unit]:
                raise ValidationError({"offset": ["is longer than every; take off whole periods."]})

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        every, offset = options["every"], options["offset"] or options["every"]
        early_rows = 0 if every["rows"] is None else every["rows"] - offset["rows"]
        early_us = 0 if every["rows"] else round((every["duration_s"] - offset["duration_s"]) * MICROSECONDS_PER_S)
        begins = msgspec.structs.replace(
            start, first_key=start.first_key - early_rows, event_time_us=start.event_time_us - early_us
        )
        self._looks, self._every, self._start = Looks(every, begins), Span(every), start

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first of these rows at which a period is over."""
        looks = self._looks.among(batch)
        if not len(looks):
            return Observation(state=state)
        key = int(looks[0])
        rows = counted(key + 1 - self._start.first_key, "row")
        return decided(key, batch.time_at(key), f"a period of {self._every} is over, after {rows}", state)

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next trigger."""
        return self._looks.waits_for(next_key, event_time_us).replace("the next look", "the next trigger")
