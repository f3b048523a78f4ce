"""Guard expect: rows that are not as expected set off no training, now or later."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.guards.expectations import Expect as ExpectField
from supervisor.triggers.guards.expectations import are_given
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
    Violation,
)

_DONE: dict[str, str] = {"hold": "held", "skip": "skipped"}


class Expect(Guard):
    """Has a worker look at the rows since the last trigger before a decision passes.

    They are compared with the *usual*: the rows of the triggers before. What was set aside is none of it. State:
    `first_key` and `before_us`, where the rows begin that no trigger has had and that were not set aside, and event
    time there; `usual` and `held`, stretches [first key, last key, event time before the first, event time at the
    last]; `asked`, the decision that waits for an answer.
    """

    option = ExpectField()

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self.asks = True
        self._expectations: dict[str, Any] = option
        self._start = start

    def _begin(self) -> State:
        start, usual = self._start, []
        if start.trained_key is not None:
            usual = [[0, start.trained_key, None, start.event_time_us]]
        return {
            "first_key": start.first_key,
            "before_us": start.event_time_us,
            "usual": usual,
            "held": [],
            "asked": None,
            "fired": start.trained_key is not None,
        }

    def observe(self, batch: Batch, state: State) -> Observation:
        """A decision waits until its rows were looked at."""
        observed = self._within(self._inner.observe(batch, state["inner"]), state)
        if observed.decision is None:
            return observed
        key = batch.stop_key - 1 if observed.seen_key is None else observed.seen_key
        return self._asked(observed, observed.decision, key, batch.time_at(key))

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """Of its own question: the decision, or what is wrong with its rows."""
        if state["asked"] is not None:
            return self._judged(Decision(**state["asked"]), answer, {**state, "asked": None})
        observed = self._within(self._inner.answer(question, answer, state["inner"]), state)
        if observed.decision is None:
            return observed
        return self._asked(observed, observed.decision, question.key, question.timestamp_us)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """A decision waits here, too."""
        observed = self._within(self._inner.quiet(now_us, key, event_time_us, state["inner"]), state)
        if observed.decision is None:
            return observed
        return self._asked(observed, observed.decision, key, event_time_us)

    def _asked(self, observed: Observation, decision: Decision, key: int, timestamp_us: int) -> Observation:
        """Its question about the rows of a decision, which was made at `key`."""
        state = observed.state
        if decision.key < state["first_key"]:
            return refused(observed, decision, f"all rows up to key {decision.key} are set aside, or were trained on")
        if not state["usual"] and not are_given(self._expectations):
            return observed
        question = Question(
            key=key,
            timestamp_us=timestamp_us,
            detector="expect",
            options={
                "rows": [state["first_key"], decision.key, state["before_us"], decision.timestamp_us],
                "usual": state["usual"],
                "expectations": self._expectations,
            },
            needs_model=self._expectations["score"] is not None and state["fired"],
        )
        waits = {**state, "asked": msgspec.to_builtins(decision)}
        return msgspec.structs.replace(observed, decision=None, question=question, state=waits)

    def _judged(self, decision: Decision, answer: Answer, state: State) -> Observation:
        if decision.key < state["first_key"]:  # a trigger by hand has taken them meanwhile
            return Observation(state=state)
        passed = Observation(state=state, decision=decision)
        if not answer["violations"]:
            return passed
        action: Literal["hold", "skip", "alert"] = self._expectations["on_violation"]
        why = "; ".join(one["sentence"] for one in answer["violations"])
        why += f"; and {answer['more']} more" if answer["more"] else ""
        found = Violation(first_key=state["first_key"], last_key=decision.key, on_violation=action, why=why)
        told = msgspec.structs.replace(passed, violation=found)
        if action == "alert":
            return told
        aside = [state["first_key"], decision.key, state["before_us"], decision.timestamp_us]
        held = [*state["held"], aside][-self._expectations["memory"] :] if action == "hold" else state["held"]
        after = {**state, "first_key": decision.key + 1, "before_us": decision.timestamp_us, "held": held}
        kept = f"{_DONE[action]}, as rows {found.first_key} to {found.last_key} are not as expected"
        return refused(msgspec.structs.replace(told, state=after), decision, kept)

    def fired(self, trigger: Trigger, state: State) -> State:
        """Its rows are usual from now on; by hand, so are those that were held."""
        state = super().fired(trigger, state)
        usual, held = state["usual"], state["held"]
        if trigger.by_hand:
            usual, held = [*usual, *held], []
        if trigger.key >= state["first_key"]:
            usual = [*usual, [state["first_key"], trigger.key, state["before_us"], trigger.timestamp_us]]
        return {
            **state,
            "first_key": max(trigger.key + 1, state["first_key"]),
            "before_us": max(trigger.timestamp_us, state["before_us"]),
            "usual": usual[-self._expectations["memory"] :],
            "held": held,
            "fired": True,
        }
