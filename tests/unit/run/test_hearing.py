"""What is made of reports, before anything follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from run_of_events import RUN, Run, ref
from workplace import Workplace

from shared.artifacts import ArtifactStore
from shared.ids import TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import AnyReport, Progress, Selected
from supervisor.core.events import Garbled, Reported
from supervisor.run.watch.hearing import Meaning, meaning
from supervisor.run.watch.reports import Entry, Unreadable

SELECTION = task_id(RUN, TriggerId(0), "select")
SET = ref("training_sets/.0.1-w.parquet")


@pytest.fixture
def run(small: Workplace) -> Run:
    """A run that waits for a selection."""
    run = Run(small)
    run.fire(9)
    return run


def selected(attempt: int = 1) -> Selected:
    """A worker's report of it."""
    who: dict[str, Any] = {"task_id": SELECTION, "attempt": attempt, "worker": WorkerId("w")}
    return Selected(**who, training_set=SET, samples=9, rows_read=10, watermark_key=9)


def heard(run: Run, folder: Path, *reports: AnyReport | Unreadable) -> Meaning:
    """What a run makes of them whose objects lie in this folder."""
    return meaning([Entry(f"{n}-0", one) for n, one in enumerate(reports)], run.state, ArtifactStore(str(folder)))


def test_a_report_is_an_event_with_its_place_in_the_stream(run: Run, tmp_path: Path) -> None:
    """As long as the object that it tells of is there."""
    (tmp_path / "training_sets").mkdir()
    (tmp_path / SET.name).write_bytes(b"x" * SET.size_bytes)
    (event,) = heard(run, tmp_path, selected()).events
    assert isinstance(event, Reported)
    assert (event.position, event.report) == ("0-0", selected())


@pytest.mark.parametrize("left", [None, b"xx"], ids=["nothing", "another one"])
def test_a_report_of_an_object_that_is_not_here_is_lost(run: Run, tmp_path: Path, left: bytes | None) -> None:
    """A worker made it for a copy of the run, or it was overwritten: the task is done again."""
    if left is not None:
        (tmp_path / "training_sets").mkdir()
        (tmp_path / SET.name).write_bytes(left)
    (event,) = heard(run, tmp_path, selected()).events
    assert isinstance(event, Garbled)
    assert (event.task_id, event.attempt, event.why) == (SELECTION, 1, f"{SET.name} is not in the run directory")


def test_who_is_not_waited_for_is_not_looked_after(run: Run, tmp_path: Path) -> None:
    """The object of an earlier attempt may be gone, and that of a task that is done: nothing follows from either."""
    (event,) = heard(run, tmp_path, selected(attempt=7)).events
    assert isinstance(event, Reported)
    run.select()
    (event,) = heard(run, tmp_path, selected()).events
    assert isinstance(event, Reported)


def test_progress_is_shown_and_makes_no_event(run: Run, tmp_path: Path) -> None:
    """It would fill the journal; what cannot be read is an event, as its task is open."""
    progress = Progress(task_id=SELECTION, attempt=1, worker=WorkerId("w"), epoch=1, epochs=2, loss=0.5, eta_s=1.0)
    told = heard(run, tmp_path, progress, Unreadable(TaskId("run/0/train/0"), 2, "no report of this version"))
    assert told.shown == [progress]
    (event,) = told.events
    assert isinstance(event, Garbled)
    assert (event.position, event.task_id, event.attempt) == ("1-0", "run/0/train/0", 2)
