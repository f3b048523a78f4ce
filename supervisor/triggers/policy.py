"""What a trigger policy is: rows and its state in; a decision to retrain, or a question for a worker, and its next
state out.

A policy is a pure function with options: all that it remembers is its state, which the journal keeps, so that a resume
goes on where the run was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.fields import Group

State = dict[str, Any]  # what JSON can hold; never changed in place
Answer = dict[str, Any]  # what JSON can hold, as the detector gives it


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive rows, keys first_key, first_key + 1, …, one at least; both arrays have shape (rows,)."""

    first_key: int
    timestamps_us: npt.NDArray[np.int64]  # as the rows have them, wrong ones too
    event_time_us: npt.NDArray[np.int64]  # the running maximum of those that can be right
    before_us: int | None = None  # event time at the row before; None: it is the first followed row

    @property
    def stop_key(self) -> int:
        """Behind its last row."""
        return self.first_key + len(self.event_time_us)

    def time_at(self, key: int) -> int:
        """Event time at one of its rows, or at the row before them."""
        if key >= self.first_key:
            return int(self.event_time_us[key - self.first_key])
        assert self.before_us is not None, f"there is no row before key {self.first_key}"
        return self.before_us

    def part(self, first_key: int, stop_key: int) -> Batch:
        """Those of its rows with first_key ≤ key < stop_key, at least one."""
        start, stop = first_key - self.first_key, stop_key - self.first_key
        return Batch(
            first_key=first_key,
            timestamps_us=self.timestamps_us[start:stop],
            event_time_us=self.event_time_us[start:stop],
            before_us=self.time_at(first_key - 1) if start else self.before_us,
        )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Retrain on the rows up to `key`."""

    key: int
    timestamp_us: int  # event time at that row
    reason: str  # in words and numbers


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What keys and timestamps alone do not tell, and a detector on a worker does."""

    key: int  # the last row that was looked at
    timestamp_us: int  # event time at that row
    detector: str  # its name in shared/plugins.py
    options: dict[str, Any]  # for it; what JSON can hold
    needs_model: bool = False  # it reads the current model: a replay waits until that is settled


class NearMiss(msgspec.Struct, frozen=True, kw_only=True):
    """A look that led to no trigger, and why, so that people can see the policy think."""

    key: int
    reason: str


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are not as expected: what is done with them, and what is wrong."""

    first_key: int
    last_key: int
    on_violation: Literal["hold", "skip", "alert"]  # the first two set them aside: a `hold` until a trigger by hand
    why: str  # in words and numbers


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy makes of rows, or of an answer.

    It stops at the first decision or question: rows behind `seen_key` are given to it again, in the next batch.
    """

    state: State
    decision: Decision | None = None
    question: Question | None = None  # never beside a decision; its key is `seen_key`
    near_misses: tuple[NearMiss, ...] = ()
    violation: Violation | None = None  # beside a decision only where it is no more than told
    seen_key: int | None = None  # the last row that it has seen; None: all that it was given


class StreamStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy may know before the first followed row."""

    first_key: int  # of the first followed row
    event_time_us: int  # there
    trained_key: int | None = (
        None  # `train_on_everything`: trigger 0 took the rows up to here; None: there is no trigger
    )
    selects_all: bool = False  # the strategy selects from all rows, not from those since the previous trigger
    selects_at_most: int | None = None  # so many rows, whatever there are; None: there is no such limit


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger that was fired, by this policy or by whoever else may."""

    number: int
    key: int
    timestamp_us: int
    by_hand: bool = False  # a person wanted it, and takes rows that are held


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a trigger: its model is there, or it has failed, or there was nothing to train on."""

    trigger: int
    samples: int  # rows that were selected
    train_s: float | None  # seconds that workers trained, all members, never twice the same; None: no model


class TriggerPolicy:
    """The base of all. What a policy decides does not depend on how the rows are batched.

    None of its methods changes the policy or the state that it is given.
    """

    Schema: ClassVar[type[Group]] = Group  # of the options, beside `policy:`
    asks: bool = False  # whether it may ask questions: only a run can say then when it fires
    weighs_costs: ClassVar[bool] = False  # whether its group must have a price; that is `price` of its options then
    hears_trainings: bool = False  # whether it is told of trainings: a replay waits for each

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        """`options`: as the schema loads them."""

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(key of its options, sentence) for what the rest of pipeline.yaml does not allow.

        Of a guard, `options` is what its field loads, and keys are those within. `pipeline`: as its schema loads it,
        without groups that are wrong by themselves. One that has other policies in its options passes on theirs, of
        `shared.config.schema.trigger.objections_of`.
        """
        yield from ()

    def begin(self) -> State:
        """Its state before the first followed row."""
        return {}

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first decision or question that these rows bring, if any."""
        raise NotImplementedError

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What follows from a worker's answer; `seen_key` of it is of no account: no row is given."""
        raise NotImplementedError

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """What follows, in production, from the time that has passed where no row comes; asked at each poll.

        `now_us`: by the clock of the machine; `key`, `event_time_us`: of the last row that was seen. A decision is at
        that row.
        """
        return Observation(state=state)

    def fired(self, trigger: Trigger, state: State) -> State:
        """A trigger was fired, not always one that it has decided, and not each that it has decided is."""
        return state

    def trained(self, training: Training, state: State) -> State:
        """A training is over, if it hears of trainings; each is told once, in the order of triggers."""
        return state

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next trigger, for people; empty: it cannot say.

        `event_time_us`: at the row before `next_key`.
        """
        return ""
