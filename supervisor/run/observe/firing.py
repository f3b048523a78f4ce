"""Asks the trigger policy about rows, answers and the time; numbers the triggers, and notes what it decided against.

All that the policy remembers is in `state`, which is journaled with what follows from it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.blame import blaming
from shared.config.pipeline import Trigger as Block
from shared.errors import RunFailedError
from shared.ids import TriggerId
from supervisor.core.seen import Asked, Considered, Fired, PolicyState, Violated
from supervisor.core.state import RunState
from supervisor.core.trigger_state import TriggerState
from supervisor.run.observe.sound import as_journaled, asked_by, fired_by, observation_of, seen_by
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import (
    Batch,
    Decision,
    Observation,
    Question,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)


class Looked(msgspec.Struct, kw_only=True):
    """What followed; of triggers and question it is not known yet which labels are known there."""

    stop_key: int  # behind the last row that was looked at
    fired: list[Fired] = []
    question: Asked | None = None
    considered: list[Considered] = []
    violations: list[Violated] = []

    @property
    def has_consequences(self) -> bool:
        """Whether the journal needs it."""
        return bool(self.fired or self.considered or self.violations) or self.question is not None


class Firing:
    """One run's policy, from where the journal ends."""

    def __init__(self, trigger: Block, run: RunState, *, selects_all: bool = False) -> None:
        """`selects_all`: as in `StreamStart`. Raises RunFailedError for what the policy raises."""
        self._block, self._who = trigger, f"trigger policy {trigger.name}"
        self._selects_all = selects_all
        self._policy: TriggerPolicy | None = None  # until the first row is there
        self.state = run.stream.policy
        self._everything, self._first_key = run.started.everything, run.started.first_key
        self._maximum = run.started.maximum_triggers
        self._fired = len(run.triggers)
        self._last_key = run.trigger(self._fired - 1).fired.key if self._fired else self._first_key - 1
        self._quiet_key: int | None = None  # at which what the policy decided against is told
        if run.stream.began_us is not None:
            self._begun(run.stream.began_us)

    @property
    def fired_all(self) -> bool:
        """Whether `--maximum-triggers` is reached."""
        return self._maximum is not None and self._fired >= self._maximum

    def waits_for_training(self, run: RunState) -> bool:
        """Whether no row may be looked at before a training is over: in a replay, each that the policy hears of."""
        if self._policy is None or self.state is None or self.fired_all or not self._waits_for_trainings(run):
            return False
        return self.state.told < len(run.triggers) and not run.trigger(self.state.told).phase.over

    def look(self, batch: Batch, began_us: int, run: RunState) -> Looked:
        """What follows from these rows, up to the first question, or trigger whose training is waited for.

        `began_us`: event time at the first followed row. Raises RunFailedError.
        """
        policy, found, key = self._begun(began_us), Looked(stop_key=batch.stop_key), batch.first_key
        self._tell_trainings(policy, run)
        while key < batch.stop_key and not self.fired_all:
            rest = batch if key == batch.first_key else batch.part(key, batch.stop_key)
            with self._blaming():
                observed = observation_of(policy.observe(rest, self._memory), self._who)
            key = seen_by(observed, rest, who=self._who) + 1
            self._take(observed, policy, found, key)
            if found.question is not None or (found.fired and self._waits_for_trainings(run)):
                found.stop_key = key
                break
        return found

    def answer(self, asked: Asked, answer: dict[str, Any], run: RunState) -> Looked:
        """What follows from a worker's answer. Raises RunFailedError."""
        policy, found = self._known(), Looked(stop_key=asked.key + 1)
        self._tell_trainings(policy, run)
        question = Question(
            key=asked.key,
            timestamp_us=asked.timestamp_us,
            detector=asked.detector,
            options=asked.options,
            needs_model=asked.needs_model,
        )
        if self.fired_all:
            return found
        with self._blaming():
            observed = observation_of(policy.answer(question, answer, self._memory), self._who)
        self._take(observed, policy, found, found.stop_key)
        return found

    def quiet(self, now_us: int, key: int, event_time_us: int, run: RunState) -> Looked | None:
        """What follows from the time that has passed since the last row; None where no trigger can.

        What the policy decides against is told once for each last row. Raises RunFailedError.
        """
        if self._policy is None or self.fired_all or key <= self._last_key:
            return None
        found = Looked(stop_key=key + 1)
        self._tell_trainings(self._policy, run)
        with self._blaming():
            observed = observation_of(self._policy.quiet(now_us, key, event_time_us, self._memory), self._who)
        self._take(observed, self._policy, found, found.stop_key)
        if self._quiet_key == key:
            found.considered = []
        elif found.considered:
            self._quiet_key = key
        return found

    def by_hand(self, why: str, request: str, key: int, event_time_us: int) -> Looked | None:
        """A trigger at the last row, whatever the policy says; None if there is no new row, or none may fire."""
        if self._policy is None or self.fired_all or key <= self._last_key:
            return None
        found = Looked(stop_key=key + 1)
        decision = Decision(key=key, timestamp_us=event_time_us, reason=why)
        self._fire(decision, self._policy, found, key + 1, request)
        return found

    def waits_for(self, next_key: int, event_time_us: int) -> str:
        """How far it is to the next trigger, for people. Raises RunFailedError."""
        with self._blaming():
            return self._known().waits_for(next_key, event_time_us, self._memory)

    @property
    def _memory(self) -> dict[str, Any]:
        assert self.state is not None, "the policy has begun"
        return self.state.memory

    def _blaming(self) -> Any:
        return blaming(self._who, RunFailedError)

    def _known(self) -> TriggerPolicy:
        assert self._policy is not None, "rows were observed"
        return self._policy

    def _begun(self, began_us: int) -> TriggerPolicy:
        """The policy, built when the first row is there."""
        if self._policy is None:
            trained_key = None if self._everything is None else self._everything.key
            start = StreamStart(
                first_key=self._first_key,
                event_time_us=began_us,
                trained_key=trained_key,
                selects_all=self._selects_all,
            )
            with self._blaming():
                self._policy = policy_of(self._block, start)
                if self.state is None:
                    self.state = PolicyState(memory=self._policy.begin())
        return self._policy

    def _waits_for_trainings(self, run: RunState) -> bool:
        return run.experiment and self._known().hears_trainings

    def _tell_trainings(self, policy: TriggerPolicy, run: RunState) -> None:
        """Of those that are over, in the order of triggers."""
        assert self.state is not None
        while policy.hears_trainings and self.state.told < len(run.triggers):
            trigger = run.trigger(self.state.told)
            if not trigger.phase.over:
                return
            with self._blaming():
                memory = policy.trained(_training(trigger), self._memory)
            self._remember(memory, told=self.state.told + 1)

    def _remember(self, memory: dict[str, Any], *, told: int | None = None) -> None:
        """Keep the policy's next state as the journal will give it back."""
        assert self.state is not None
        if memory is not self.state.memory:
            memory = as_journaled(f"the state of {self._who}", memory)
        self.state = PolicyState(memory=memory, told=self.state.told if told is None else told)

    def _take(self, observed: Observation, policy: TriggerPolicy, found: Looked, stop_key: int) -> None:
        self._remember(observed.state)
        found.considered += [Considered(key=int(one.key), reason=str(one.reason)) for one in observed.near_misses]
        if observed.violation is not None:
            found.violations.append(msgspec.convert(observed.violation, Violated, from_attributes=True))
        if observed.decision is not None:
            self._fire(observed.decision, policy, found, stop_key)
        if observed.question is not None and not self.fired_all:
            found.question = asked_by(observed.question, policy, stop_key - 1, who=self._who)

    def _fire(
        self, decision: Decision, policy: TriggerPolicy, found: Looked, stop_key: int, request: str | None = None
    ) -> None:
        if decision.key == self._last_key:  # somebody else has had a trigger there
            reason = f"{decision.reason}; no row has come since the last trigger"
            found.considered.append(Considered(key=self._last_key, reason=reason))
            return
        fired = fired_by(decision, TriggerId(self._fired), who=self._who, after=self._last_key, before=stop_key)
        fired = msgspec.structs.replace(fired, request=request)
        self._last_key, self._fired = fired.key, self._fired + 1
        found.fired.append(fired)
        trigger = Trigger(number=fired.id, key=fired.key, timestamp_us=fired.timestamp_us, by_hand=fired.by_hand)
        with self._blaming():
            memory = policy.fired(trigger, self._memory)
        self._remember(memory)


def only_a_run_says(trigger: Block) -> bool:
    """Whether rows alone do not say when a policy fires. Raises RunFailedError for what it raises."""
    with blaming(f"trigger policy {trigger.name}", RunFailedError):
        policy = policy_of(trigger, StreamStart(first_key=0, event_time_us=0))
        return policy.asks or policy.hears_trainings


def _training(trigger: TriggerState) -> Training:
    """What became of a trigger."""
    train_s = None if trigger.model is None else trigger.train_s
    return Training(trigger=trigger.fired.id, samples=trigger.samples, train_s=train_s)
