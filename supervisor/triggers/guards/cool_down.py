"""Guard cool_down: for so many rows, or so much event time, after a trigger there is no further one."""

from __future__ import annotations

from typing import Any

from shared.config import fields as f
from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.looks.span import Span, SpanField
from supervisor.triggers.policy import Batch, Decision, Observation, State, StreamStart, Trigger, TriggerPolicy


class CoolDown(Guard):
    """Keeps decisions at rows that are nearer to the last trigger, whoever fired it.

    State: `trigger`, key and event time of the last one; null: there was none, so that the first passes.
    """

    option = SpanField(
        "rows or event time from each trigger on, whoever fired it, in which no decision passes", tuned=f.Tuned()
    )

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._span, self._start = Span(option), start

    def _begin(self) -> State:
        trained_key = self._start.trained_key
        return {"trigger": None if trained_key is None else [trained_key, self._start.event_time_us]}

    def _kept(self, observed: Observation, batch: Batch | None) -> Observation:
        decision, trigger = observed.decision, observed.state["trigger"]
        if decision is None or trigger is None:
            return observed
        rows, us = _since(trigger, decision)
        if self._span.passed(rows, us):
            return observed
        since = f"cool_down: {self._span.told(rows, us)} since the trigger at key {trigger[0]}"
        return refused(observed, decision, since)

    def fired(self, trigger: Trigger, state: State) -> State:
        """From here on it cools down anew."""
        return {**super().fired(trigger, state), "trigger": [trigger.key, trigger.timestamp_us]}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the inner policy waits for, and how long no trigger passes."""
        inner, trigger = super().waits_for(next_key, event_time_us, state), state["trigger"]
        if trigger is None:
            return inner
        rows, us = next_key - 1 - trigger[0], event_time_us - trigger[1]
        if self._span.passed(rows, us):
            return inner
        told = f"cooling down, {self._span.told(rows, us)}"
        return f"{inner}; {told}" if inner else told


def _since(trigger: list[int], decision: Decision) -> tuple[int, int]:
    """Rows and event time from a trigger to a decision."""
    return decision.key - trigger[0], decision.timestamp_us - trigger[1]
