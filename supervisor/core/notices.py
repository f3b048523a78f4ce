"""What an event meant: all that only listens to a run (log, tally, alerts, live view) hears this, and nothing else."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.clock_changes import ClockChanges
from shared.ids import TaskId, TriggerId, WorkerId
from shared.messages.reports import (
    Baselined,
    Decided,
    Detected,
    Evaluated,
    Gathered,
    Progress,
    Selected,
    SetUp,
    Trained,
)
from supervisor.core.seen import Considered, Fired, Misdated, Violated
from supervisor.core.state import RunState

Result = Selected | Trained | Gathered | Evaluated | Baselined | Decided | Detected


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be told, counted or shown."""


class TriggerFired(Notice, frozen=True, kw_only=True):
    """The policy decided to retrain."""

    fired: Fired


class TriggerDeclined(Notice, frozen=True, kw_only=True):
    """Somebody asked for a trigger by hand, and there is none."""

    why: str  # they asked
    sentence: str  # why there is none


class TriggerConsidered(Notice, frozen=True, kw_only=True):
    """The policy looked, and decided against it."""

    considered: Considered


class RowsNotAsExpected(Notice, frozen=True, kw_only=True):
    """A worker has looked at the rows of a trigger, and they are not as `expect:` says."""

    violated: Violated


class RowsReleased(Notice, frozen=True, kw_only=True):
    """A trigger by hand has so many rows that were held."""

    trigger_id: TriggerId
    rows: int


class TriggerCoalesced(Notice, frozen=True, kw_only=True):
    """Its rows go into the next trigger, as trainings are behind."""

    trigger_id: TriggerId
    into: TriggerId


class RowsMisdated(Notice, frozen=True, kw_only=True):
    """For the first time rows are dated later than they can be; more may follow, of which nobody hears."""

    misdated: Misdated


class ClocksChanged(Notice, frozen=True, kw_only=True):
    """For the first time local times occur twice or never; more may follow, of which nobody hears."""

    found: ClockChanges


class FileNotRead(Notice, frozen=True, kw_only=True):
    """A file cannot be read, or does not fit, for a reason that was not told of it before; it is looked at again."""

    file: str
    sentence: str


class MoreNotRead(Notice, frozen=True, kw_only=True):
    """So many files are not read that not all of them are named."""

    files: int


class FileReadNow(Notice, frozen=True, kw_only=True):
    """A file that was not read has keys now."""

    file: str
    rows: int


class NotInTheWay(Notice, frozen=True, kw_only=True):
    """A place that was away is back; or a file that was not read is gone, or waits for its rows as others do."""

    file: str


class StreamOver(Notice, frozen=True, kw_only=True):
    """No row after `key` is followed."""

    key: int


class TaskTaken(Notice, frozen=True, kw_only=True):
    """A worker has begun with the attempt that counts."""

    task_id: TaskId
    worker: WorkerId


class ResultCounted(Notice, frozen=True, kw_only=True):
    """A worker's result is the task's: the first valid one of the attempt that counts."""

    report: Result


class TaskPublishedAgain(Notice, frozen=True, kw_only=True):
    """An attempt came to nothing, and the next goes out. `why`: for people, after a colon."""

    task_id: TaskId
    why: str


class TaskGivenUp(Notice, frozen=True, kw_only=True):
    """Nobody tries this task again in this session: its trigger has failed, or the run ends."""

    task_id: TaskId
    sentence: str


class RunForgotten(Notice, frozen=True, kw_only=True):
    """Redis was wiped; what no worker still has is published again."""


class StopBegun(Notice, frozen=True, kw_only=True):
    """Somebody wants the run to stop, and running work is handed back."""

    by: str


class NeverFired(Notice, frozen=True, kw_only=True):
    """The run ends without a trigger, after so many rows, from one event time to another; None if there is none."""

    rows: int
    first_us: int | None
    last_us: int | None


class NeverLabelled(Notice, frozen=True, kw_only=True):
    """The run ends, and of so many rows none has found a label in the table of labels."""

    rows: int


class RunEnded(Notice, frozen=True, kw_only=True):
    """This session of the run is over, with the faults it survived."""

    status: Literal["finished", "stopped", "failed"]
    reason: str
    workers_lost: int
    reconnects: int


class Waits(Notice, frozen=True, kw_only=True):
    """All rows that exist were seen, more than when this was told last; for people, what the next trigger waits for.

    Nothing follows from it: it comes from the loop, and no event means it.
    """

    sentence: str
    begun: bool  # whether any followed row has come


class FaultSurvived(Notice, frozen=True, kw_only=True):
    """One of our own workers died, or the broker came back; how often either happened in this session.

    Nothing follows from it: it comes from the loop, and no event means it.
    """

    workers_lost: int
    reconnects: int


AnyNotice = (
    TriggerFired
    | TriggerDeclined
    | TriggerConsidered
    | RowsNotAsExpected
    | RowsReleased
    | TriggerCoalesced
    | RowsMisdated
    | ClocksChanged
    | FileNotRead
    | MoreNotRead
    | FileReadNow
    | NotInTheWay
    | StreamOver
    | TaskTaken
    | ResultCounted
    | TaskPublishedAgain
    | TaskGivenUp
    | RunForgotten
    | StopBegun
    | NeverFired
    | NeverLabelled
    | RunEnded
)

Told = AnyNotice | Waits | FaultSurvived | Progress | SetUp  # the last two come from workers; none is journaled


class Listener:
    """Hears what happens in a run, in order, and may do something at each turn of its loop. It decides nothing."""

    def hear(self, told: Told) -> None:
        """Something happened."""

    def turn(self, state: RunState, rows: int) -> None:
        """The loop has turned: this is the run now, and the dataset has so many rows."""
