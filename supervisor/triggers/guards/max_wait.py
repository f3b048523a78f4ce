"""Guard max_wait: in production no row that came waits longer for a trigger, by the clock of the machine."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.config import fields as f
from shared.timestamps import MICROSECONDS_PER_S
from shared.words import counted, ending
from supervisor.triggers.guard import Guard
from supervisor.triggers.looks.span import in_words
from supervisor.triggers.policy import Decision, Observation, State, StreamStart, Trigger, TriggerPolicy


class MaxWait(Guard):
    """Decides where rows have waited that long and the policy has not.

    State: `trigger_key`, the last key that a trigger has had; `since_us`, from when on rows behind it wait, by the
    machine's clock; null: none was there when the time was looked at last. A decision that is not carried out is made
    again when as much time has passed once more.
    """

    option = f.Duration(
        "time by the clock, not of events, after which rows that wait are a trigger whatever the policy says; "
        "in a replay there is no such time"
    )

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._longest_s: float = option
        self._before_key = start.first_key - 1

    def _begin(self) -> State:
        return {"trigger_key": self._before_key, "since_us": None}

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """A decision of its own at the last row, unless the inner policy has one or asks."""
        observed = super().quiet(now_us, key, event_time_us, state)
        rows = key - state["trigger_key"]
        if observed.decision is not None or observed.question is not None or rows == 0:
            return observed
        since_us: int | None = state["since_us"]
        if since_us is None or since_us > now_us:  # they came just now, or the clock was set back
            return msgspec.structs.replace(observed, state={**observed.state, "since_us": now_us})
        if now_us - since_us < round(self._longest_s * MICROSECONDS_PER_S):
            return observed
        reason = f"no trigger for {in_words(self._longest_s)} of wall time, {counted(rows, 'row')} wait{ending(rows)}"
        decision = Decision(key=key, timestamp_us=event_time_us, reason=reason)
        return msgspec.structs.replace(observed, state={**observed.state, "since_us": now_us}, decision=decision)

    def fired(self, trigger: Trigger, state: State) -> State:
        """Nothing waits any more; rows behind it wait from when the time is looked at next."""
        return {**super().fired(trigger, state), "trigger_key": trigger.key, "since_us": None}
