"""Rows for trigger policies, and what they make of them, played as a run plays them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config import fields as f
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

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


class Asking(TriggerPolicy):
    """Every so many rows it asks a detector, which says whether to retrain; the first such row is number `at`."""

    class Schema(f.Group):
        """Its options."""

        every = f.Whole("", required=True)
        at = f.Whole("", least=0, load_default=0)

    asks = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every, self._at = options["every"], start.first_key + options["at"]

    def begin(self) -> State:
        """Nothing was fired, trained or asked."""
        return {"fired": [], "asked": 0}

    def observe(self, batch: Batch, state: State) -> Observation:
        """Its next question."""
        key = self._at if batch.first_key <= self._at else batch.first_key + (self._at - batch.first_key) % self._every
        if key >= batch.stop_key:
            return Observation(state=state)
        return self._asked(key, batch.time_at(key), state, again=False)

    def _asked(self, key: int, timestamp_us: int, state: State, *, again: bool) -> Observation:
        options = {"every": self._every, "again": again, "fired": state["fired"]}
        question = Question(key=key, timestamp_us=timestamp_us, detector="test", options=options)
        return Observation(state={**state, "asked": state["asked"] + 1}, question=question, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """As the detector says: `fires`, or it is to be asked `again`."""
        if answer.get("again") and not question.options["again"]:
            return self._asked(question.key, question.timestamp_us, state, again=True)
        if not answer["fires"]:
            return Observation(state=state, near_misses=(NearMiss(key=question.key, reason="calm"),))
        decision = Decision(key=question.key, timestamp_us=question.timestamp_us, reason="drift")
        return Observation(state=state, decision=decision)

    def fired(self, trigger: Trigger, state: State) -> State:
        """What a question tells of it shows that it was told."""
        return {**state, "fired": [*state["fired"], trigger.key]}


def rows(event_time_us: npt.NDArray[np.int64], first_key: int = 0) -> Batch:
    """A whole stream."""
    return Batch(first_key=first_key, timestamps_us=event_time_us, event_time_us=event_time_us)


def pieces(batch: Batch, cuts: Iterable[int]) -> Iterator[Batch]:
    """A stream cut before some of its rows, which are counted from 0."""
    borders = sorted({0, len(batch.event_time_us), *(min(cut, len(batch.event_time_us)) for cut in cuts)})
    for start, stop in zip(borders, borders[1:], strict=False):
        yield batch.part(batch.first_key + start, batch.first_key + stop)


class Played(msgspec.Struct):
    """What became of a stream."""

    fired: list[Decision] = []
    kept: list[Decision] = []  # those that `fires` refused
    questions: list[Question] = []
    near_misses: list[NearMiss] = []
    state: State = {}

    def story(self) -> list[Any]:
        """All of it that people see."""
        return [self.fired, self.kept, self.questions, self.near_misses]


class Player:
    """Gives a policy rows, answers what it asks, and fires what it decides if there are new rows, as a run does.

    Its state goes through JSON each time.
    """

    def __init__(
        self,
        policy: TriggerPolicy,
        *,
        answers: Callable[[Question], Any] = lambda question: {},
        fires: Callable[[Decision], bool] = lambda decision: True,
        state: State | None = None,
        first_number: int = 0,
    ) -> None:
        """`first_number`: of its first trigger."""
        self.policy, self.fires = policy, fires
        self.played = Played(state=policy.begin() if state is None else state)
        self._answers, self._last_key, self._next_number = answers, -1, first_number

    def give(self, batch: Batch) -> None:
        """All these rows."""
        rest: Batch | None = batch
        while rest is not None:
            observed = self.policy.observe(rest, self.played.state)
            seen_key = rest.stop_key - 1 if observed.seen_key is None else observed.seen_key
            assert rest.first_key - 1 <= seen_key < rest.stop_key
            self._take(observed)
            while observed.question is not None:
                asked = observed.question
                assert asked.key == seen_key
                observed = self.policy.answer(asked, _through_json(self._answers(asked)), self.played.state)
                self._take(observed)
            rest = rest.part(seen_key + 1, rest.stop_key) if seen_key + 1 < rest.stop_key else None

    def fire(self, key: int, timestamp_us: int) -> None:
        """A trigger, whoever has decided it."""
        trigger = Trigger(number=self._next_number, key=key, timestamp_us=timestamp_us)
        self._last_key, self._next_number = key, trigger.number + 1
        self.keep(self.policy.fired(trigger, self.played.state))
        self.after(trigger)

    def after(self, trigger: Trigger) -> None:
        """What becomes of a trigger."""

    def keep(self, state: State) -> None:
        """The policy goes on from here."""
        self.played.state = _through_json(state)

    def _take(self, observed: Observation) -> None:
        assert observed.decision is None or observed.question is None
        self.keep(observed.state)
        self.played.near_misses.extend(observed.near_misses)
        if observed.question is not None:
            self.played.questions.append(observed.question)
        decision = observed.decision
        if decision is None or decision.key <= self._last_key:
            return
        if not self.fires(decision):
            self.played.kept.append(decision)
            return
        self.played.fired.append(decision)
        self.fire(decision.key, decision.timestamp_us)


def play(policy: TriggerPolicy, batch: Batch, cuts: Iterable[int] = (), **options: Any) -> Played:
    """What becomes of a stream that is cut so; `options`: those of the player."""
    player = Player(policy, **options)
    for piece in pieces(batch, cuts):
        player.give(piece)
    return player.played


def decided(policy: TriggerPolicy, batch: Batch, cuts: Iterable[int]) -> list[Decision]:
    """The triggers of a policy that asks nothing."""
    return play(policy, batch, cuts).fired


def _through_json(value: dict[str, Any]) -> dict[str, Any]:
    restored: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    return restored
