"""Asks the trigger policy about rows, answers and the time; numbers the triggers, and notes what it decided against.

All that the policy remembers is in `state`, which is journaled with what follows from it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.config.pipeline import Trigger as Block
from shared.ids import TriggerId
from shared.strategies.strategy import Strategy
from supervisor.core.seen import Asked, Considered, Fired, PolicyState, Violated
from supervisor.core.state import RunState
from supervisor.run.observe.course import Course
from supervisor.run.observe.memory import PolicyWithMemory
from supervisor.run.observe.sound import fired_by
from supervisor.triggers.policy import Batch, Decision, Observation, Question, StreamStart, Trigger


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
    """One run's policy, from where the journal ends. Methods raise RunFailedError for what it raises."""

    def __init__(self, trigger: Block, run: RunState, strategy: Strategy | None = None) -> None:
        """`strategy`: as policies that forecast trainings know it. Raises RunFailedError for what the policy raises."""
        self._block, self._strategy = trigger, strategy or Strategy({})
        self._policy: PolicyWithMemory | None = None  # until the first row is there
        self._journaled = run.stream.policy
        self._everything, self._first_key = run.started.everything, run.started.first_key
        self._maximum = run.started.maximum_triggers
        self._fired = len(run.triggers)
        self._last_key = run.trigger(self._fired - 1).fired.key if self._fired else self._first_key - 1
        self._quiet_key: int | None = None  # at which what the policy decided against is told
        if run.stream.began_us is not None:
            self._begun(run.stream.began_us)

    @property
    def state(self) -> PolicyState | None:
        """What the policy remembers; None: it has not begun."""
        return self._journaled if self._policy is None else self._policy.state

    @property
    def fired_all(self) -> bool:
        """Whether `--maximum-triggers` is reached."""
        return self._maximum is not None and self._fired >= self._maximum

    def waits_for_training(self, run: Course) -> bool:
        """Whether no row may be looked at before a training is over: in a replay, each that the policy hears of."""
        if self._policy is None or self.fired_all or not _waits_for_trainings(self._policy, run):
            return False
        told = self._policy.state.told
        return told < len(run.triggers) and not run.trigger(told).is_over

    def look(self, batch: Batch, began_us: int, run: Course) -> Looked:
        """What follows from these rows, up to the first question, or trigger whose training is waited for.

        `began_us`: event time at the first followed row.
        """
        policy, found, key = self._begun(began_us), Looked(stop_key=batch.stop_key), batch.first_key
        policy.hear_trainings(run)
        while key < batch.stop_key and not self.fired_all:
            rest = batch if key == batch.first_key else batch.part(key, batch.stop_key)
            observed, seen_key = policy.observe(rest)
            key = seen_key + 1
            self._take(observed, policy, found, key)
            if found.question is not None or (found.fired and _waits_for_trainings(policy, run)):
                found.stop_key = key
                break
        return found

    def answer(self, asked: Asked, answer: dict[str, Any], run: Course) -> Looked:
        """What follows from a worker's answer."""
        policy, found = self._known(), Looked(stop_key=asked.key + 1)
        policy.hear_trainings(run)
        question = Question(
            key=asked.key,
            timestamp_us=asked.timestamp_us,
            detector=asked.detector,
            options=asked.options,
            needs_model=asked.needs_model,
        )
        if not self.fired_all:
            self._take(policy.answer(question, answer), policy, found, found.stop_key)
        return found

    def quiet(self, now_us: int, key: int, event_time_us: int, run: Course) -> Looked | None:
        """What follows from the time that has passed since the last row; None where no trigger can.

        What the policy decides against is told once for each last row.
        """
        if self._policy is None or self.fired_all or key <= self._last_key:
            return None
        found = Looked(stop_key=key + 1)
        self._policy.hear_trainings(run)
        self._take(self._policy.quiet(now_us, key, event_time_us), self._policy, found, found.stop_key)
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
        """How far it is to the next trigger, for people."""
        return self._known().waits_for(next_key, event_time_us)

    def _known(self) -> PolicyWithMemory:
        assert self._policy is not None, "rows were observed"
        return self._policy

    def _begun(self, began_us: int) -> PolicyWithMemory:
        """The policy, built when the first row is there."""
        if self._policy is None:
            start = StreamStart(
                first_key=self._first_key,
                event_time_us=began_us,
                trained_key=None if self._everything is None else self._everything.key,
                selects_all=self._strategy.selects_all,
                selects_at_most=self._strategy.selects_at_most,
            )
            self._policy = PolicyWithMemory(self._block, start, self._journaled)
        return self._policy

    def _take(self, observed: Observation, policy: PolicyWithMemory, found: Looked, stop_key: int) -> None:
        found.considered += [Considered(key=int(one.key), reason=str(one.reason)) for one in observed.near_misses]
        if observed.violation is not None:
            found.violations.append(msgspec.convert(observed.violation, Violated, from_attributes=True))
        if observed.decision is not None:
            self._fire(observed.decision, policy, found, stop_key)
        if observed.question is not None and not self.fired_all:
            found.question = policy.asked(observed.question, stop_key - 1)

    def _fire(
        self, decision: Decision, policy: PolicyWithMemory, found: Looked, stop_key: int, request: str | None = None
    ) -> None:
        if decision.key == self._last_key:  # somebody else has had a trigger there
            reason = f"{decision.reason}; no row has come since the last trigger"
            found.considered.append(Considered(key=self._last_key, reason=reason))
            return
        fired = fired_by(decision, TriggerId(self._fired), who=policy.who, after=self._last_key, before=stop_key)
        fired = msgspec.structs.replace(fired, request=request)
        self._last_key, self._fired = fired.key, self._fired + 1
        found.fired.append(fired)
        policy.fired(Trigger(number=fired.id, key=fired.key, timestamp_us=fired.timestamp_us, by_hand=fired.by_hand))


def _waits_for_trainings(policy: PolicyWithMemory, run: Course) -> bool:
    return run.experiment and policy.hears_trainings
