"""Guard after_drift: what was decided is carried out once there are enough rows of the new kind to learn from."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.config import fields as f
from shared.words import counted
from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.guards.enough import Enough, Looks
from supervisor.triggers.policy import (
    Answer,
    Batch,
    Decision,
    NearMiss,
    Observation,
    Question,
    State,
    StreamStart,
    Trigger,
    TriggerPolicy,
)


class AfterDrift(Guard):
    """Separates firing from training: rows behind the one of the decision are taken to be of the new kind.

    What the policy decides meanwhile changes nothing. The very first trigger passes: there is no model before it. A
    trigger of somebody else is one, and nothing waits any more. State: `waits`, the decision that does; `triggered`;
    where rows are tested `looked`, how often they were for that decision, and `asked`, whether an answer is to come.
    """

    option = f.Sub(Enough, "have what the policy decides wait for rows of the new kind")

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._looks = Looks(option)
        self.asks = self.asks or self._looks.tests
        self._triggered = start.trained_key is not None

    def _begin(self) -> State:
        tests = {"looked": 0, "asked": False} if self._looks.tests else {}
        return {"waits": None, "triggered": self._triggered, **tests}

    def observe(self, batch: Batch, state: State) -> Observation:
        """Up to the row that is the last of enough, or of those to be tested, if it is among these."""
        if state["waits"] is not None and self._due(state) < batch.stop_key - 1:
            batch = batch.part(batch.first_key, self._due(state) + 1)
        observed = self._within(self._inner.observe(batch, state["inner"]), state)
        key = batch.stop_key - 1 if observed.seen_key is None else observed.seen_key
        passed = self._passed(observed, key, batch.time_at(key))
        return msgspec.structs.replace(passed, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What the policy decides waits; a decision that waited may be due here, also by the answer to its test."""
        if state.get("asked"):
            return self._tested(question, answer, {**state, "asked": False})
        observed = self._within(self._inner.answer(question, answer, state["inner"]), state)
        return self._passed(observed, question.key, question.timestamp_us)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """Likewise."""
        observed = self._within(self._inner.quiet(now_us, key, event_time_us, state["inner"]), state)
        return self._passed(observed, key, event_time_us)

    def _look(self, state: State) -> int:
        return int(state.get("looked", 0))

    def _due(self, state: State) -> int:
        return int(state["waits"]["key"]) + self._looks.rows(self._look(state))

    def _passed(self, observed: Observation, key: int, timestamp_us: int) -> Observation:
        """What becomes of a decision; `key`: the last row that was seen, with the event time there."""
        decision = observed.decision
        if decision is not None and not observed.state["triggered"]:
            return observed
        due = self._is_due(observed.state, key)
        if decision is not None and (not due or self._looks.asks(self._look(observed.state))):
            observed = self._kept_back(observed, decision)
        if observed.question is not None or not self._is_due(observed.state, key):
            return observed
        state, look = observed.state, self._look(observed.state)
        if self._looks.asks(look):
            options = self._looks.options(state["waits"]["key"], look)
            question = Question(key=key, timestamp_us=timestamp_us, detector="enough_rows", options=options)
            return msgspec.structs.replace(observed, question=question, state={**state, "asked": True})
        rows = counted(self._looks.rows(look), "row")
        return self._carried_out(observed, key, timestamp_us, f"after {rows} of the new kind")

    def _tested(self, question: Question, answer: Answer, state: State) -> Observation:
        """What follows from an answer to its own question."""
        if state["waits"] is None:  # somebody else's trigger came before the answer
            return Observation(state=state)
        rows = counted(self._looks.rows(self._look(state)), "row")
        if answer["enough"]:
            reason = f"after {rows} of the new kind: {answer['why']}"
            return self._carried_out(Observation(state=state), question.key, question.timestamp_us, reason)
        why = f"{state['waits']['reason']}; after_drift: {rows} of the new kind are not enough: {answer['why']}"
        missed = NearMiss(key=question.key, reason=why)
        return Observation(state={**state, "looked": self._look(state) + 1}, near_misses=(missed,))

    def _carried_out(self, observed: Observation, key: int, timestamp_us: int, why: str) -> Observation:
        """The decision that waited, at this row."""
        waited = f"{observed.state['waits']['reason']}; {why}"
        due = Decision(key=key, timestamp_us=timestamp_us, reason=waited)
        return msgspec.structs.replace(observed, state=self._none_waits(observed.state), decision=due)

    def _none_waits(self, state: State) -> State:
        return {**state, "waits": None, **({"looked": 0} if self._looks.tests else {})}

    def _is_due(self, state: State, key: int) -> bool:
        return state["waits"] is not None and self._due(state) <= key

    def _kept_back(self, observed: Observation, decision: Decision) -> Observation:
        """It waits, or another one does already."""
        waits = observed.state["waits"]
        if waits is not None:
            seen = self._looks.of(decision.key - waits["key"])
            return refused(observed, decision, f"after_drift: {seen} since the decision at key {waits['key']}")
        kept = refused(observed, decision, f"after_drift: waits for {self._looks.wanted} of the new kind")
        return msgspec.structs.replace(kept, state={**kept.state, "waits": msgspec.to_builtins(decision)})

    def fired(self, trigger: Trigger, state: State) -> State:
        """Whoever fired: nothing waits."""
        return {**self._none_waits(super().fired(trigger, state)), "triggered": True}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the policy waits for, or how many rows of the new kind there are."""
        if state["waits"] is None:
            return super().waits_for(next_key, event_time_us, state)
        seen = next_key - 1 - state["waits"]["key"]
        return f"{self._looks.of(seen)} of the new kind"
