"""A trigger policy on a recorded stream, without trainings: the triggers of an experiment, told by the same code.

Who replays says what workers would answer, and what became of trainings.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import msgspec

from shared.config.pipeline import Trigger as Block
from shared.ids import TriggerId
from shared.messages.tasks import KeyRange
from shared.strategies.strategy import Strategy
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.core.seen import Asked, Considered, Fired, Violated
from supervisor.core.set_aside import note_violations
from supervisor.core.stream import Stream
from supervisor.run.observe.catching_up import CatchingUp
from supervisor.run.observe.firing import Firing, Looked
from supervisor.run.observe.labelling import Labelling, WithRows


class CannotTellError(Exception):
    """Only a run can say how the replay goes on; why, as a part of a sentence."""


class Posed(NamedTuple):
    """A question of the policy, and what a worker is told beside it."""

    asked: Asked
    number: int  # of the questions of this replay
    trigger: TriggerId  # the next one, should the answer lead to it
    left_out: tuple[KeyRange, ...]  # rows that are set aside


class Settled(NamedTuple):
    """What became of a trigger."""

    samples: int  # rows that were selected
    trained_s: float | None  # seconds that workers trained; None: it has no model


class Answers(Protocol):
    """Who answers questions instead of workers."""

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As the detector would; `model`: the trigger of the current one. Raises CannotTellError."""


class Trainings(Protocol):
    """Who says what became of triggers."""

    def settled(self, fired: Fired, left_out: tuple[KeyRange, ...]) -> Settled:
        """Asked of each in turn; `left_out`: rows that are set aside. Raises CannotTellError."""


class Untold(NamedTuple):
    """Where a replay ends early: what follows from this row only a run can say."""

    key: int
    timestamp_us: int  # event time there
    why: str


class Replayed(msgspec.Struct, kw_only=True):
    """What a policy did, in the order of the stream."""

    fired: list[Fired] = []
    considered: list[Considered] = []
    violations: list[Violated] = []
    questions: list[Posed] = []
    untold: Untold | None = None  # None: all is told


class _Outcome(NamedTuple):
    """A trigger, as a policy hears of its training: at once."""

    fired: Fired
    samples: int
    took_s: float | None
    is_over: bool = True


class _Replay:
    """One policy's; to it a run, of which all trainings are over."""

    experiment = True

    def __init__(
        self, stream: RecordedStream, firing: Firing, labelling: Labelling, answers: Answers, trainings: Trainings
    ) -> None:
        self._stream, self._firing, self._labelling = stream, firing, labelling
        self._answers, self._trainings = answers, trainings
        self._aside = Stream()  # for what it says of rows that are set aside
        self._model: TriggerId | None = None
        self.triggers: list[_Outcome] = []
        self.found = Replayed()

    def trigger(self, index: int) -> _Outcome:
        """The trigger with this id."""
        return self.triggers[index]

    def run(self) -> None:
        """See all rows. Raises CannotTellError."""
        for batch in self._stream.batches:
            key = batch.first_key
            while key < batch.stop_key and not self._firing.fired_all:
                rest = batch if key == batch.first_key else batch.part(key, batch.stop_key)
                looked = self._firing.look(rest, self._stream.began_us, self)
                seen = rest.part(key, looked.stop_key)
                self._labelling.observe(key, seen.event_time_us, self._stream.dataset)
                self._follow(looked)
                key = looked.stop_key

    def _follow(self, looked: Looked) -> None:
        """Have happen what was found, and answer what is asked until nothing more is."""
        while True:
            self._aside, _ = note_violations(looked.violations, self._aside)
            self.found.considered += looked.considered
            self.found.violations += looked.violations
            for one in looked.fired:
                self._settle(msgspec.structs.replace(one, labels=self._labelling.at(one)))
            if looked.question is None:
                return
            asked = msgspec.structs.replace(looked.question, labels=self._labelling.at(looked.question))
            looked = self._firing.answer(asked, self._answer(asked), self)

    def _settle(self, fired: Fired) -> None:
        self.found.fired.append(fired)
        try:
            samples, took_s = self._trainings.settled(fired, self._aside.left_out)
        except CannotTellError as error:
            self.found.untold = Untold(fired.key, fired.timestamp_us, str(error))
            raise
        self.triggers.append(_Outcome(fired, samples, took_s))
        self._model = self._model if took_s is None else fired.id

    def _answer(self, asked: Asked) -> dict[str, Any]:
        posed = Posed(asked, len(self.found.questions), TriggerId(len(self.triggers)), self._aside.left_out)
        try:
            answer = self._answers.answer(posed, self._model)
        except CannotTellError as error:
            self.found.untold = Untold(asked.key, asked.timestamp_us, str(error))
            raise
        self.found.questions.append(posed)
        return answer


def replay(
    block: Block,
    stream: RecordedStream,
    answers: Answers,
    trainings: Trainings,
    *,
    strategy: Strategy | None = None,
    labelling: Labelling | None = None,
) -> Replayed:
    """What the policy of a `trigger:` block does on these rows, as far as it can be told.

    `strategy`: as policies that forecast trainings know it; `labelling`: one that has heard of no row, for labels that
    come late. Raises RunFailedError for what the policy raises, DataError.
    """
    labelling = labelling or WithRows()
    CatchingUp(labelling, stream.dataset, stream.start)
    one = _Replay(stream, Firing(block, stream.start, strategy), labelling, answers, trainings)
    with suppress(CannotTellError):
        one.run()
    return one.found
