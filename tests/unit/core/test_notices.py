"""What each event means to those who listen: every fact once, and nothing of what does not count."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from run_of_events import RUN, Run, ref, run_started
from workplace import Workplace

from shared.clock_changes import ClockChanges
from shared.ids import TriggerId, WorkerId, task_id
from shared.messages.reports import Claimed, Failed, Released, Selected
from supervisor.core.events import Ended, Garbled, LeaseExpired, Observed, StopAsked, StreamEnded, Unclaimed, Wiped
from supervisor.core.notices import (
    ClocksChanged,
    NeverFired,
    ResultCounted,
    RowsMisdated,
    RunEnded,
    RunForgotten,
    StopBegun,
    TaskGivenUp,
    TaskPublishedAgain,
    TaskTaken,
    TriggerCoalesced,
    TriggerFired,
)
from supervisor.core.seen import Misdated

SELECT = task_id(RUN, TriggerId(0), "select")
OF_SELECT: dict[str, Any] = {"time_us": 0, "task_id": SELECT, "attempt": 1}
FAILED = {"sentence": "it broke", "traceback": ""}


@pytest.fixture
def run(small: Workplace) -> Run:
    """A run whose first selection is with a worker."""
    run = Run(small, attempts=2)
    run.fire(9)
    assert [type(one) for one in run.notices] == [TriggerFired]
    run.report(Claimed, "select")
    assert run.notices == [TaskTaken(task_id=SELECT, worker=WorkerId("w"))]
    return run


def test_a_result_counts_once(run: Run) -> None:
    """The second time it is a zombie's, of which nobody hears."""
    run.select()
    (counted,) = run.notices
    assert isinstance(counted, ResultCounted)
    assert isinstance(counted.report, Selected)
    run.select()
    assert run.notices == []


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (LeaseExpired(**OF_SELECT), "w was lost"),
        (Unclaimed(**OF_SELECT), "its message was lost"),
        (Garbled(**OF_SELECT, position="1-0", why="torn"), "w came back with a report that is of no use (torn)"),
    ],
)
def test_an_attempt_that_comes_to_nothing_is_published_again(run: Run, event: Any, why: str) -> None:
    """It is said why, once; the same event of an attempt that is over means nothing."""
    run.tell(event)
    assert run.notices == [TaskPublishedAgain(task_id=SELECT, why=why)]
    run.tell(event)
    assert run.notices == []


def test_a_broken_device_is_a_loss_and_a_failure_is_not(run: Run) -> None:
    """The first is tried elsewhere; after as many losses as there are attempts, or a failure, nobody tries again."""
    run.report(Failed, "select", **FAILED, device=True)
    assert [type(one) for one in run.notices] == [TaskPublishedAgain]
    run.report(Failed, "select", attempt=2, **FAILED, device=True)
    (given_up,) = run.notices
    assert isinstance(given_up, TaskGivenUp)
    assert given_up.sentence.startswith("2 workers were lost over its select task")


def test_a_failure_is_told_in_the_workers_words(run: Run) -> None:
    """Whether it ends the run or only its trigger."""
    run.report(Failed, "select", **FAILED)
    assert run.notices == [TaskGivenUp(task_id=SELECT, sentence="it broke")]


def test_an_empty_training_set_counts_and_is_no_failure(run: Run) -> None:
    """What was selected is known: nothing, so nothing is trained."""
    empty = {"training_set": ref("sets/.0.1-w.parquet"), "samples": 0, "rows_read": 10, "watermark_key": 9}
    run.report(Selected, "select", **empty)
    assert [type(one) for one in run.notices] == [ResultCounted]


def test_what_is_handed_back_is_no_fault(run: Run) -> None:
    """Its worker was asked to go; the task goes out again without a word."""
    run.report(Released, "select")
    assert run.notices == []


def test_a_wipe_a_stop_and_an_end_are_told(run: Run) -> None:
    """Each by its own name, with what people want to know of it."""
    run.tell(Wiped(time_us=0))
    assert run.notices == [RunForgotten()]
    run.tell(StopAsked(time_us=0, by="SIGTERM"))
    assert run.notices == [StopBegun(by="SIGTERM")]
    run.tell(Ended(time_us=0, status="stopped", reason="on request", workers_lost=1, reconnects=2))
    assert run.notices == [RunEnded(status="stopped", reason="on request", workers_lost=1, reconnects=2)]


def test_a_trigger_that_goes_into_the_next_is_named(small: Workplace) -> None:
    """Where trainings are behind; the rows are not lost, and who reads the log sees where they went."""
    run = Run(small)
    settings = msgspec.structs.replace(run.state.settings, coalesce=True)
    run.state = run.state.but(settings=settings, started=run_started(mode="production"))
    run.fire(9, 19, 29)
    folded = [one for one in run.notices if isinstance(one, TriggerCoalesced)]
    assert folded == [
        TriggerCoalesced(trigger_id=TriggerId(0), into=TriggerId(1)),
        TriggerCoalesced(trigger_id=TriggerId(1), into=TriggerId(2)),
    ]


MISDATED = Misdated(rows=1, key=3, file="a.parquet", timestamp_us=99, latest_us=50)


def test_rows_dated_too_late_are_noticed_once(run: Run) -> None:
    """The first time; later ones are counted, also those that come with the stream's end."""
    run.tell(Observed(time_us=0, key=19, event_time_us=20, began_us=5, misdated=MISDATED))
    assert run.notices == [RowsMisdated(misdated=MISDATED)]
    more = msgspec.structs.replace(MISDATED, rows=4)
    run.tell(StreamEnded(time_us=0, key=29, event_time_us=30, began_us=5, misdated=more))
    assert RowsMisdated not in [type(one) for one in run.notices]
    stream = run.state.stream
    assert (stream.misdated, stream.began_us, stream.event_time_us) == (more, 5, 30)


def test_changes_of_the_clocks_are_noticed_once(run: Run) -> None:
    """As rows dated too late are; what is read again after a restart counts nothing twice."""
    first = ClockChanges(twice=1, key=3, file="a.csv")
    run.tell(Observed(time_us=0, key=19, event_time_us=20, clock_changes=first))
    assert run.notices == [ClocksChanged(found=first)]
    more = ClockChanges(twice=4, never=2, key=3, file="a.csv")
    run.tell(Observed(time_us=0, key=29, event_time_us=30, clock_changes=more))
    run.tell(StreamEnded(time_us=0, key=29, event_time_us=30, clock_changes=first))
    assert ClocksChanged not in [type(one) for one in run.notices]
    assert run.state.stream.clock_changes == more


@pytest.mark.parametrize(("status", "noticed"), [("finished", True), ("stopped", True), ("failed", False)])
def test_a_run_without_a_trigger_is_noticed_at_its_end(small: Workplace, status: Any, noticed: bool) -> None:
    """With its rows and the span of their event time; one that failed has something else to say."""
    run = Run(small)
    run.tell(Observed(time_us=0, key=299, event_time_us=70, began_us=50))
    run.tell(StreamEnded(time_us=0, key=299, event_time_us=70, began_us=50))
    run.tell(Ended(time_us=0, status=status, reason=""))
    expected = [NeverFired(rows=300, first_us=50, last_us=70)] if noticed else []
    assert [one for one in run.notices if isinstance(one, NeverFired)] == expected


def test_a_run_with_a_trigger_is_no_silent_one(run: Run) -> None:
    """Nothing is said of it at its end."""
    run.tell(Ended(time_us=0, status="finished", reason=""))
    assert [type(one) for one in run.notices] == [RunEnded]
