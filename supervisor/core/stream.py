"""What was seen of the rows that are followed: how far, what is cut and waits, and what the trigger policy asks."""

from __future__ import annotations

from typing import Any

import msgspec
from immutables import Map

from shared.clock_changes import ClockChanges
from shared.ids import TaskId, TriggerId
from shared.messages.tasks import KeyRange
from supervisor.core.seen import Asked, Misdated, PolicyState, Slice, Violated


class LabelFind(msgspec.Struct, frozen=True, array_like=True):
    """The rows of the table of labels up to `stop_position` that no find before has."""

    stop_position: int
    from_key: int  # the row that was to be observed next when they were found


class OpenQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the trigger policy: no row behind it is looked at before it is answered."""

    number: int  # of the questions of the run
    asked: Asked
    task: TaskId | None = None  # that asks a worker; None: it is not published yet
    answer: dict[str, Any] | None = None  # a worker's; None: it is waited for


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are not as expected, and are not trained on."""

    violated: Violated
    released_by: TriggerId | None = None  # a trigger by hand, from which on they are rows like others

    @property
    def is_held(self) -> bool:
        """Whether a trigger by hand would have them."""
        return self.violated.on_violation == "hold" and self.released_by is None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the rows that are followed."""

    observed_key: int = -1  # the last row seen
    event_time_us: int | None = None  # the latest so far
    began_us: int | None = None  # event time at the first followed row
    misdated: Misdated | None = None  # rows dated later than they can be
    clock_changes: ClockChanges = ClockChanges()  # local times that occur twice or never
    ended: bool = False
    settled_key: int = -1  # up to it no label is waited for any more
    labels_position: int | None = None  # so many rows of the labels' table were found
    unlabelled: int = 0  # rows that none of them is of
    policy: PolicyState | None = None  # of the trigger policy at `observed_key`; None: it has seen no row
    questions: int = 0  # that it has asked so far
    near_misses: int = 0  # looks, and decisions that were kept, that led to no trigger
    question: OpenQuestion | None = None  # the last of them, until the policy has heard the answer
    set_aside: tuple[SetAside, ...] = ()  # in key order
    left_out: tuple[KeyRange, ...] = ()  # those of them that are not released, put together
    cut: Map[str, Slice] = Map()  # window → the last slice that closed
    slices: Map[int, Slice] = Map()  # closed ones that may be scored
    closing: tuple[Slice, ...] = ()  # closed ones that wait for labels
    open_slices: Map[str, int] = Map()  # window → first key of the slice after the last that closed
    label_finds: Map[int, LabelFind] = Map()  # in order; one for all that were found before the same row
