"""Guard after_drift: what was decided is carried out once there are enough rows of the new kind to learn from."""

from __future__ import annotations

from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.config import fields as f
from shared.words import counted
from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.policy import (
    Answer,
    Batch,
    Decision,
    Observation,
    Question,
    State,
    StreamStart,
    Trigger,
    TriggerPolicy,
)


class Rows(f.Whole):
    """So many; `auto`, a test on the rows themselves, is refused by name."""

    def _deserialize(self, value: Any, *rest: Any, **kwargs: Any) -> Any:
        if value == "auto":
            raise ValidationError("auto is not available yet; available: a whole number of rows.")
        return super()._deserialize(value, *rest, **kwargs)


class Enough(f.Group):
    """`after_drift:`."""

    example = "{rows: 500}"
    rows = Rows("how many rows behind the one at which the policy decided are enough", required=True)


class AfterDrift(Guard):
    """Separates firing from training: rows behind the one of the decision are taken to be of the new kind.

    What the policy decides meanwhile changes nothing. The very first trigger passes: there is no model before it. A
    trigger of somebody else is one, and nothing waits any more. State: `waits`, the decision that does; `triggered`.
    """

    option = f.Sub(Enough, "have what the policy decides wait for rows of the new kind", load_default=None)

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._rows: int = option["rows"]
        self._triggered = start.trained_key is not None

    def _begin(self) -> State:
        return {"waits": None, "triggered": self._triggered}

    def observe(self, batch: Batch, state: State) -> Observation:
        """Up to the row that is the last of enough, if it is among these."""
        if state["waits"] is not None and self._due(state) < batch.stop_key - 1:
            batch = batch.part(batch.first_key, self._due(state) + 1)
        observed = self._within(self._inner.observe(batch, state["inner"]), state)
        key = batch.stop_key - 1 if observed.seen_key is None else observed.seen_key
        passed = self._passed(observed, key, batch.time_at(key))
        return msgspec.structs.replace(passed, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What the policy decides waits; a decision that waited may be due at this row."""
        observed = self._within(self._inner.answer(question, answer, state["inner"]), state)
        return self._passed(observed, question.key, question.timestamp_us)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """Likewise."""
        observed = self._within(self._inner.quiet(now_us, key, event_time_us, state["inner"]), state)
        return self._passed(observed, key, event_time_us)

    def _due(self, state: State) -> int:
        return int(state["waits"]["key"]) + self._rows

    def _passed(self, observed: Observation, key: int, timestamp_us: int) -> Observation:
        """What becomes of a decision; `key`: the last row that was seen, with the event time there."""
        decision = observed.decision
        if decision is not None and not observed.state["triggered"]:
            return observed
        if decision is not None and not self._is_due(observed.state, key):
            observed = self._kept_back(observed, decision)
        if observed.question is not None or not self._is_due(observed.state, key):
            return observed
        waited = f"{observed.state['waits']['reason']}; after {counted(self._rows, 'row')} of the new kind"
        state = {**observed.state, "waits": None}
        due = Decision(key=key, timestamp_us=timestamp_us, reason=waited)
        return msgspec.structs.replace(observed, state=state, decision=due)

    def _is_due(self, state: State, key: int) -> bool:
        return state["waits"] is not None and self._due(state) <= key

    def _kept_back(self, observed: Observation, decision: Decision) -> Observation:
        """It waits, or another one does already."""
        waits = observed.state["waits"]
        if waits is not None:
            seen = decision.key - waits["key"]
            why = f"after_drift: {seen:,} of {self._rows:,} rows since the decision at key {waits['key']}"
            return refused(observed, decision, why)
        kept = refused(observed, decision, f"after_drift: waits for {counted(self._rows, 'row')} of the new kind")
        return msgspec.structs.replace(kept, state={**kept.state, "waits": msgspec.to_builtins(decision)})

    def fired(self, trigger: Trigger, state: State) -> State:
        """Whoever fired: nothing waits."""
        return {**super().fired(trigger, state), "waits": None, "triggered": True}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the policy waits for, or how many rows of the new kind there are."""
        if state["waits"] is None:
            return super().waits_for(next_key, event_time_us, state)
        seen = next_key - 1 - state["waits"]["key"]
        return f"{seen:,} of {self._rows:,} rows of the new kind"
