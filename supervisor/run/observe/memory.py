"""A trigger policy and its memory: what it raises is blamed on it, and its state is kept as the journal has it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from shared.blame import blaming
from shared.config.pipeline import Trigger as Block
from shared.errors import RunFailedError
from supervisor.core.seen import Asked, PolicyState
from supervisor.run.observe.course import Course, Outcome
from supervisor.run.observe.sound import as_journaled, asked_by, observation_of, seen_by
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import Batch, Observation, Question, StreamStart, Training, Trigger


class PolicyWithMemory:
    """One run's policy. All that it is asked raises RunFailedError for what it raises, and for what no run can use."""

    def __init__(self, block: Block, start: StreamStart, state: PolicyState | None) -> None:
        """`state`: as the journal has it; None: it begins."""
        self.who = f"trigger policy {block.name}"
        with self._blaming():
            self._policy = policy_of(block, start)
            self.state = PolicyState(memory=self._policy.begin()) if state is None else state

    @property
    def hears_trainings(self) -> bool:
        """Whether it is told of trainings."""
        return self._policy.hears_trainings

    def observe(self, batch: Batch) -> tuple[Observation, int]:
        """What it makes of rows, and the last of them that it has seen."""
        with self._blaming():
            observed = observation_of(self._policy.observe(batch, self.state.memory), self.who)
        seen_key = seen_by(observed, batch, who=self.who)
        return self._remembered(observed), seen_key

    def answer(self, question: Question, answer: dict[str, Any]) -> Observation:
        """What it makes of a worker's answer."""
        with self._blaming():
            observed = self._policy.answer(question, answer, self.state.memory)
        return self._remembered(observation_of(observed, self.who))

    def quiet(self, now_us: int, key: int, event_time_us: int) -> Observation:
        """What it makes of the time that has passed since the last row."""
        with self._blaming():
            observed = self._policy.quiet(now_us, key, event_time_us, self.state.memory)
        return self._remembered(observation_of(observed, self.who))

    def fired(self, trigger: Trigger) -> None:
        """Tell it of a trigger."""
        with self._blaming():
            memory = self._policy.fired(trigger, self.state.memory)
        self._remember(memory)

    def hear_trainings(self, run: Course) -> None:
        """Tell it of those that are over, in the order of triggers."""
        while self.hears_trainings and self.state.told < len(run.triggers):
            trigger = run.trigger(self.state.told)
            if not trigger.is_over:
                return
            with self._blaming():
                memory = self._policy.trained(_training(trigger), self.state.memory)
            self._remember(memory, trainings=1)

    def waits_for(self, next_key: int, event_time_us: int) -> str:
        """How far it is to the next trigger, for people."""
        with self._blaming():
            return self._policy.waits_for(next_key, event_time_us, self.state.memory)

    def asked(self, question: Question, key: int) -> Asked:
        """Its question, for a worker; `key`: the last row that it has seen."""
        return asked_by(question, self._policy, key, who=self.who)

    def _blaming(self) -> AbstractContextManager[None]:
        return blaming(self.who, RunFailedError)

    def _remembered(self, observed: Observation) -> Observation:
        self._remember(observed.state)
        return observed

    def _remember(self, memory: dict[str, Any], *, trainings: int = 0) -> None:
        """Keep its next state as the journal will give it back, and that it was told of so many more trainings."""
        if memory is not self.state.memory:
            memory = as_journaled(f"the state of {self.who}", memory)
        self.state = PolicyState(memory=memory, told=self.state.told + trainings)


def _training(trigger: Outcome) -> Training:
    """What became of a trigger."""
    return Training(trigger=trigger.fired.id, samples=trigger.samples, train_s=trigger.took_s)
