"""Workers die in the middle of their work, and the run ends as if none had."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from left_behind import slots_of
from running import Running
from undisturbed import assert_as_undisturbed, slow
from workplace import Workplace


@pytest.fixture
def disturbed(small: Workplace) -> Workplace:
    """The same, in a workplace of its own."""
    return slow(small)


def workers_of(run: Running) -> list[psutil.Process]:
    """Main processes of the supervisor's train workers."""
    children = psutil.Process(run.process.pid).children()
    return [child for child in children if "train" in child.cmdline()]


def child_of(worker: psutil.Process) -> psutil.Process:
    """The pool child that does a worker's tasks."""
    return next(child for child in worker.children() if "--billiard-fork" in child.cmdline())


@pytest.mark.parametrize("whole_worker", [False, True])
def test_a_killed_worker_costs_nothing_but_time(
    disturbed: Workplace, undisturbed: Workplace, whole_worker: bool
) -> None:
    """kill -9 of a child or of a worker in mid-training: published again, and the chord's body runs once."""
    with Running.pipeline(disturbed, "--experiment-mode") as run:
        run.wait_for("… trigger 1")
        (worker,) = workers_of(run)
        os.kill(worker.pid if whole_worker else child_of(worker).pid, signal.SIGKILL)
        run.wait_for("trigger 1: train is published again")
        assert run.wait() == 0
    assert_as_undisturbed(disturbed.run_dir, undisturbed)
    faults = disturbed.summary()["faults"]
    assert (faults["republished"], faults["workers_lost"]) == (1, int(whole_worker))
    log = (disturbed.run_dir / "workers.log").read_text()
    assert "ChordError" not in log
    if not whole_worker:  # its main process tells, with the time in UTC and its name
        (told,) = (line for line in log.splitlines() if "the process that had task" in line)
        at, worker_name, _ = told.split(" ", 2)
        assert abs(datetime.fromisoformat(at) - datetime.now(UTC)) < timedelta(minutes=10)
        assert worker_name.startswith("train-0-")


def test_a_worker_whose_slot_is_removed_is_replaced(disturbed: Workplace, undisturbed: Workplace) -> None:
    """In mid-training; another is started in its place at once, and goes on from the checkpoint."""
    with Running.pipeline(disturbed, "--experiment-mode") as run:
        run.wait_for("… trigger 1")
        (worker,) = workers_of(run)
        for folder in slots_of(worker.pid):
            shutil.rmtree(folder)
        said = run.wait_for("died and was started again")
        assert ("(exit code 1): " in said, "was removed" in said, "workers.log" in said) == (True, True, True)
        assert run.wait() == 0
    assert_as_undisturbed(disturbed.run_dir, undisturbed)
    assert disturbed.summary()["faults"]["workers_lost"] == 1
    log = (disturbed.run_dir / "workers.log").read_text()
    assert ("was removed while it ran" in log, "Traceback" in log) == (True, False)


def test_a_worker_that_stands_still_is_replaced(disturbed: Workplace, undisturbed: Workplace) -> None:
    """Its whole process is stopped, and nobody lets it go on: after ten leases another is started in its place."""
    disturbed.config["lease"] = "1s"
    with Running.pipeline(disturbed, "--experiment-mode") as run:
        run.wait_for("… trigger 1")
        (worker,) = workers_of(run)
        worker.suspend()
        run.wait_for("died and was started again")
        assert not worker.is_running()
        assert run.wait() == 0
    assert_as_undisturbed(disturbed.run_dir, undisturbed)
    assert disturbed.summary()["faults"]["workers_lost"] == 1


def test_a_killed_supervisor_is_resumed(disturbed: Workplace, undisturbed: Workplace) -> None:
    """kill -9 ends its broker and its workers, too; --resume goes on from the journal, also with artifacts deleted."""
    with Running.pipeline(disturbed, "--experiment-mode") as run:
        run.wait_for("model 1 committed")
        run.process.kill()
        run.wait()
    for file in (disturbed.run_dir / "models/0").iterdir():
        file.unlink()
    (disturbed.run_dir / "training_sets/1.parquet").unlink()
    with (disturbed.run_dir / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event":"reported","time')  # torn by the crash
    done = disturbed.run("--experiment-mode", "--resume")
    assert done.returncode == 0, done.stderr
    assert "the model of trigger 0 is gone; it is made anew" in done.stderr
    assert_as_undisturbed(disturbed.run_dir, undisturbed)
