"""How far a run is that goes on, in its log and for `runs`."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from run_of_events import Run
from workplace import Workplace

from shared.messages.reports import Claimed
from supervisor.core.notices import RunEnded
from supervisor.run.listen.how_far import HowFar
from supervisor.run.progress_note import ProgressNote, progress_of

SENTENCE = "0 of 1 triggers done, evaluations 0 of 1; a worker to select for trigger 0 is waited for"


@pytest.fixture
def run(small: Workplace) -> Run:
    """One that has fired once."""
    fired = Run(small)
    fired.fire(9)
    return fired


def turn_until_told(teller: HowFar, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """A line is due a share of the time so far after the one before, which on a busy machine is not at once."""
    before, give_up_s = len(caplog.messages), time.monotonic() + 10.0
    while len(caplog.messages) == before and time.monotonic() < give_up_s:
        teller.turn(run.state, 10)


def test_a_long_run_says_how_far_it_is(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Again only if something has changed."""
    caplog.set_level(logging.INFO)
    teller = HowFar(first_s=0.0)
    for _ in range(3):
        teller.turn(run.state, 10)
    assert caplog.messages == [f"… {SENTENCE}"]
    run.select()
    turn_until_told(teller, run, caplog)
    run.report(Claimed, "train")
    turn_until_told(teller, run, caplog)
    assert [line.rpartition("; ")[2] for line in caplog.messages[1:]] == [
        "a worker to train trigger 0 is waited for",
        "trigger 0 is at its training",
    ]


def test_a_quick_run_does_not(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Nor one in which nothing is open."""
    caplog.set_level(logging.INFO)
    HowFar().turn(run.state, 10)
    HowFar(first_s=0.0).turn(run.state.but(tasks=type(run.state.tasks)()), 10)
    assert caplog.messages == []


def test_runs_finds_it_in_the_run_directory_until_the_run_has_ended(run: Run, tmp_path: Path) -> None:
    """Whoever looks after that reads the summary."""
    note = ProgressNote(tmp_path, every_s=0.0)
    note.turn(run.state, 10)
    found = progress_of(tmp_path)
    assert (found["sentence"], found["rows_seen"], found["triggers"], found["evaluations"]) == (SENTENCE, 10, 1, 1)
    note.hear(RunEnded(status="finished", reason="", workers_lost=0, reconnects=0))
    assert (progress_of(tmp_path), list(tmp_path.glob(".progress*"))) == ({}, [])


def test_a_run_directory_that_has_gone_is_not_made_again(run: Run, tmp_path: Path) -> None:
    """Its journal tells of that."""
    ProgressNote(tmp_path / "gone", every_s=0.0).turn(run.state, 10)
    assert list(tmp_path.glob("gone*")) == []
