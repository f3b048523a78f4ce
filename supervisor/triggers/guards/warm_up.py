"""Guard warm_up: for its first looks a policy learns only, and another one decides, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.blame import blaming
from shared.config import fields as f
from shared.config.resolved import as_written
from shared.config.schema.trigger import objections_of
from shared.errors import ConfigurationError
from supervisor.triggers.build import policy_of
from supervisor.triggers.guard import Guard
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
from supervisor.triggers.together.nested import NestedBlock
from supervisor.triggers.together.side_by_side import SideBySide, Together

_ITS, _MEANWHILE = 0, 1  # numbers of the policies


class Looks(f.Group):
    """`warm_up:` as a group."""

    looks = f.Whole("how many", required=True)
    policy = NestedBlock("the policy that decides meanwhile", load_default=None)


class WarmUpField(f.Sentence):
    """A number of looks, or that and the policy that decides meanwhile; loads as the latter."""

    kind = "whole number ≥ 1, or {looks: N, policy: {policy: …}}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return {"looks": f.Whole("").deserialize(value), "policy": None}
        loaded = Looks().load(value)
        if loaded["policy"] is not None and _asks(loaded["policy"]):
            needed = "name one that needs no warm-up, such as {policy: data_amount, every: 5000}"
            raise ValidationError(
                {"policy": [f"{loaded['policy']['name']} has detectors look at rows, too; {needed}."]}
            )
        return loaded

    def written(self, value: Any) -> Any:
        """The number, where it says all."""
        return value["looks"] if value["policy"] is None else as_written(f.Sub(Looks, ""), value)


class WarmUp(Guard):
    """Keeps what the policy decides at its first looks; so that it learns from them, it is asked all the same.

    A look is an answer of a detector, or a decision or near miss without one. Without a policy that decides meanwhile
    the very first trigger passes, as there is no model before it. State: `together`, that of `SideBySide`; `looks`, how
    many there were; `triggered`, whether there was a trigger.
    """

    option = WarmUpField("how many looks of the policy at first lead to no trigger, or which policy decides meanwhile")

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._looks: int = option["looks"]
        self._has_other = option["policy"] is not None
        others = [policy_of(option["policy"], start)] if self._has_other else []
        self._together = SideBySide([inner, *others])
        self.asks, self.hears_trainings = self._together.asks, self._together.hears_trainings
        self._triggered = start.trained_key is not None

    @classmethod
    def objection(cls, block: Mapping[str, Any]) -> str | None:
        """A policy without looks has nothing to learn from them."""
        if _asks({**block, "guards": {}}):
            return None
        return f"counts looks of detectors, and {block['name']} has none; remove it, or write cool_down."

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Those of the policy that decides meanwhile."""
        if options["policy"] is not None:
            for key, sentence in objections_of(options["policy"], pipeline):
                yield f"policy.{key}", sentence

    def begin(self) -> State:
        """Nothing was looked at."""
        return {"together": self._together.begin(), "looks": 0, "triggered": self._triggered}

    def observe(self, batch: Batch, state: State) -> Observation:
        """What passes of what the policies make of these rows."""
        return self._together.watch(
            batch,
            state,
            lambda together, now: self._passed(together, now, _told_of(together)),
            lambda together, now: now["looks"] < self._looks and _told_of(together) > 0,
        )

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What passes of what follows from the answer, with which a look is over unless it leads to a question."""
        together = self._together.answer(question, answer, state["together"])
        return self._passed(together, state, int(together.question is None))

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """What passes of what follows from the time that has passed."""
        together = self._together.quiet(now_us, key, event_time_us, state["together"])
        return self._passed(together, state, _told_of(together))

    def fired(self, trigger: Trigger, state: State) -> State:
        """Both policies are told."""
        return {**state, "together": self._together.fired(trigger, state["together"]), "triggered": True}

    def trained(self, training: Training, state: State) -> State:
        """Policies that hear of trainings are told."""
        return {**state, "together": self._together.trained(training, state["together"])}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the policy waits for that decides now."""
        told = self._together.waits_for(next_key, event_time_us, state["together"])
        if state["looks"] >= self._looks:
            return told[_ITS]
        warming = f"warm-up, {state['looks']} of {self._looks} looks"
        return "; ".join(one for one in (warming, told[-1]) if one)

    def _passed(self, together: Together, state: State, looks: int) -> Observation:
        """`looks`: how many of the policy were just over; all are within the warm-up if the first is."""
        warm, number = state["looks"] < self._looks, state["looks"] + looks
        state = {**state, "together": together.state, "looks": min(number, self._looks)}
        decisions = dict(together.decisions)
        passing = _MEANWHILE if warm and self._has_other else _ITS
        kept = decisions.get(_ITS) if warm and (self._has_other or state["triggered"]) else None
        missed = [one for whose, one in together.near_misses if whose in (_ITS, passing)]
        if kept is not None:
            missed.append(NearMiss(key=kept.key, reason=f"{kept.reason}; warm_up: look {number} of {self._looks}"))
        decision = None if kept is not None and passing == _ITS else decisions.get(passing)
        if decision is not None and passing == _MEANWHILE:
            decision = _meanwhile(decision, f"warm-up, {number} of {self._looks} looks")
        return Observation(state=state, decision=decision, question=together.question, near_misses=tuple(missed))


def _meanwhile(decision: Decision, told: str) -> Decision:
    return Decision(key=decision.key, timestamp_us=decision.timestamp_us, reason=f"{told}: {decision.reason}")


def _told_of(together: Together) -> int:
    """Looks of the policy that no detector was asked for."""
    told = [whose for whose, _ in (*together.decisions, *together.near_misses)]
    return told.count(_ITS)


def _asks(block: Mapping[str, Any]) -> bool:
    """Whether the policy of a `trigger:` group may have a detector look. Raises ValidationError for what it raises."""
    try:
        with blaming(f"trigger policy {block['name']}", ConfigurationError):
            return policy_of(block, StreamStart(first_key=0, event_time_us=0)).asks
    except ConfigurationError as error:
        raise ValidationError(str(error)) from None
