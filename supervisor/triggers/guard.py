"""What a guard is: a policy around the policy, which keeps its decisions, or adds to them. A key of `trigger:` each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from marshmallow import fields

from supervisor.triggers.policy import (
    Answer,
    Batch,
    Decision,
    NearMiss,
    Observation,
    Question,
    State,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)

_INNER = "inner"


class Guard(TriggerPolicy):
    """The base of all. What its inner policy makes of rows and answers passes `_kept`.

    Its state is its own values beside the state of the inner policy.
    """

    option: ClassVar[fields.Field[Any]]  # of its key in `trigger:`

    @classmethod
    def objection(cls, block: Mapping[str, Any]) -> str | None:
        """Why it cannot stand around the policy of a `trigger:` group, as that loads, in a sentence; None: it can."""
        return None

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        """`option`: as its field loads it."""
        self._inner = inner
        self.asks, self.hears_trainings = inner.asks, inner.hears_trainings

    def begin(self) -> State:
        """Its own values, and the inner policy's state."""
        return {**self._begin(), _INNER: self._inner.begin()}

    def _begin(self) -> State:
        return {}

    def observe(self, batch: Batch, state: State) -> Observation:
        """What the inner policy makes of them, kept or not."""
        observed = self._within(self._inner.observe(batch, state[_INNER]), state)
        return self._kept(observed, batch)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What the inner policy makes of it, kept or not; unless the question is its own."""
        observed = self._within(self._inner.answer(question, answer, state[_INNER]), state)
        return self._kept(observed, None)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """What the inner policy makes of the time that has passed, kept or not."""
        observed = self._within(self._inner.quiet(now_us, key, event_time_us, state[_INNER]), state)
        return self._kept(observed, None)

    def _kept(self, observed: Observation, batch: Batch | None) -> Observation:
        """What becomes of a decision of the inner policy; `observed.state` is the guard's own already.

        `batch`: the rows that led to it; None: an answer did, or the time.
        """
        return observed

    def _within(self, observed: Observation, state: State) -> Observation:
        return msgspec.structs.replace(observed, state={**state, _INNER: observed.state})

    def fired(self, trigger: Trigger, state: State) -> State:
        """The inner policy is told, too."""
        return {**state, _INNER: self._inner.fired(trigger, state[_INNER])}

    def trained(self, training: Training, state: State) -> State:
        """The inner policy is told, if it hears of trainings."""
        if not self._inner.hears_trainings:
            return state
        return {**state, _INNER: self._inner.trained(training, state[_INNER])}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the inner policy waits for."""
        return self._inner.waits_for(next_key, event_time_us, state[_INNER])


def refused(observed: Observation, decision: Decision, why: str) -> Observation:
    """Nothing is decided: a near miss, with what the policy said and why it was kept."""
    missed = NearMiss(key=decision.key, reason=f"{decision.reason}; {why}")
    return msgspec.structs.replace(observed, decision=None, near_misses=(*observed.near_misses, missed))
