"""One supervisor on a run directory; who only looks at it is in nobody's way."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from workplace import Workplace

from shared.config.load import Configuration, load_configuration
from shared.errors import ConfigurationError, NotReadyError, RunTakenError
from supervisor.cli import stop
from supervisor.run.directory import RunDirectory
from supervisor.run.lock import Lock


@pytest.fixture
def configuration(small: Workplace) -> Configuration:
    """Both files, read."""
    small.write()
    return load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)


@pytest.mark.parametrize("more", ["}", ',"run_id":"a', ""])
def test_a_journal_whose_beginning_is_damaged_names_no_run(tmp_path: Path, more: str) -> None:
    """Whoever only looks finds none there; whoever reads it all says what is wrong."""
    (tmp_path / "journal.jsonl").write_text(f'{{"event":"run_started"{more}\n')
    assert RunDirectory(tmp_path).run_id is None


def test_the_second_supervisor_is_refused(configuration: Configuration, tmp_path: Path) -> None:
    """It is told who has the directory, and how to stop it."""
    first = RunDirectory(tmp_path / "run")
    first.create(configuration)
    holder = RunDirectory(first.path).lock.holder()
    assert holder is not None
    assert (holder.pid, holder.is_here) == (str(os.getpid()), True)
    with pytest.raises(RunTakenError, match=f"another supervisor, process {os.getpid()} on .*, is working on"):
        RunDirectory(first.path).lock.take()


def test_whoever_looks_at_the_lock_keeps_no_supervisor_out(configuration: Configuration, tmp_path: Path) -> None:
    """`runs` takes the lock for a moment to see whether it is free, again and again."""
    path = tmp_path / "run"
    path.mkdir()
    (path / ".lock").touch()
    looking, enough = threading.Event(), threading.Event()

    def look() -> None:
        while not enough.is_set():
            Lock(path).holder()
            looking.set()

    looker = threading.Thread(target=look)
    looker.start()
    looking.wait()
    try:
        RunDirectory(path).create(configuration)
    finally:
        enough.set()
        looker.join()
    assert str(Lock(path).holder()).startswith(f"process {os.getpid()} on ")


def test_what_a_killed_beginning_left_is_used_again(configuration: Configuration, tmp_path: Path) -> None:
    """A lock, both files and a torn first line are no run; anything else in the folder is somebody's."""
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    for name in (".lock", "pipeline.yaml", "journal.jsonl"):
        (directory.path / name).write_text("cut of")
    directory.create(configuration)
    assert not directory.journal_path.exists()
    assert (directory.path / "pipeline.yaml").read_text() == configuration.resolved_pipeline_yaml()
    other = RunDirectory(tmp_path / "other")
    other.path.mkdir()
    for name in (".lock", "notes.txt"):
        (other.path / name).write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        other.refuse_if_taken()


def test_a_run_that_began_before_the_lock_was_had_is_left_alone(configuration: Configuration, tmp_path: Path) -> None:
    """Another supervisor made the directory, began its run and ended, all between the first look and the lock."""
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    refused: list[str] = []

    def create() -> None:
        with pytest.raises(ConfigurationError, match="already holds a run") as told:
            directory.create(configuration)
        refused.append(str(told.value))

    with (directory.path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        second = threading.Thread(target=create)
        second.start()
        while times_open(directory.path / ".lock") < 2:
            assert second.is_alive()
        directory.journal_path.write_text("{}\n")
    second.join()
    assert len(refused) == 1
    assert directory.journal_path.read_text() == "{}\n"


def times_open(file: Path) -> int:
    """How often this process has a file open."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # just closed
            found += one.readlink() == file
    return found


def test_of_two_runs_started_at_once_each_has_its_folder(configuration: Configuration, tmp_path: Path) -> None:
    """The name is kept before anything is made; who gives up before the run begins leaves nothing."""
    first, second = (RunDirectory.named(tmp_path / "runs/small", "now") for _ in range(2))
    assert (first.path.name, second.path.name) == ("now", "now-2")
    first.release()
    again = RunDirectory.named(tmp_path / "runs/small", "now")
    assert again.path.name == "now"
    again.create(configuration)
    assert RunDirectory.named(tmp_path / "runs/small", "now").path.name == "now-3"
    second.release()
    third = RunDirectory.named(tmp_path / "other/small", "now")
    third.release()
    assert not (tmp_path / "other").exists()


def test_a_supervisor_on_another_machine_is_named_and_no_process_here_is_stopped(tmp_path: Path) -> None:
    """Its pid means another process here: `stop` says where it is."""
    (tmp_path / "journal.jsonl").write_text("{}\n")
    with subprocess.Popen(["sleep", "60"]) as innocent, (tmp_path / ".lock").open("w") as lock:
        lock.write(f"{innocent.pid} gpu-7 another-boot/pid:[1]")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(NotReadyError, match=f"is process {innocent.pid} on gpu-7: stop it there"):
            stop.run(argparse.Namespace(run_dir=tmp_path))
        assert innocent.poll() is None
        innocent.kill()


def test_a_run_may_go_on_with_its_metrics_elsewhere(configuration: Configuration, small: Workplace) -> None:
    """Or with some after none; what else config.yaml says is the run's."""
    directory = RunDirectory(small.run_dir)
    directory.create(configuration)
    directory.compare(with_system(small, metrics={}))
    directory.compare(with_system(small, metrics={"listen": "127.0.0.1:1"}))
    with pytest.raises(ConfigurationError, match="`lease: 15s`, the file now gives `lease: 99s`"):
        directory.compare(with_system(small, lease="99s"))
    directory.release()


@pytest.mark.parametrize(("then", "now", "told"), [
    ({"limit": 9}, {"limit": 8}, "has `limit: 9`, the file now gives `limit: 8`;"),
    ({"limit": 9}, {"limit": 9, "seed": 3}, "has no `seed: 3`, which the file now gives;"),
    ({"limit": 9}, {"limit": 9, "balance": "label"}, "has no `balance: label`, which the file now gives;"),
    ({"limit": 9, "seed": 3}, {"limit": 9}, "has `seed: 3`, which the file no longer gives;"),
])  # fmt: skip
def test_an_option_that_differs_is_named(
    small: Workplace, then: dict[str, object], now: dict[str, object], told: str
) -> None:
    """Also one that came or went, and not the line that stands at its place."""
    directory = RunDirectory(small.run_dir)
    small.pipeline["strategy"] = {"name": "reservoir", **then}
    directory.create(with_system(small))
    small.pipeline["strategy"] = {"name": "reservoir", **now}
    with pytest.raises(ConfigurationError, match=told):
        directory.compare(with_system(small))
    directory.release()


def with_system(small: Workplace, **changed: object) -> Configuration:
    """Both files, read again with other values in config.yaml."""
    small.config |= changed
    small.write()
    return load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)


def test_who_waits_for_a_run_to_begin_is_found_and_has_the_place_alone(tmp_path: Path) -> None:
    """Whether its folder is there or not; when the wait is over, nothing is left."""
    for path in (tmp_path / "new" / "run", tmp_path):
        first, second = RunDirectory(path), RunDirectory(path)
        assert first.waiting() is None
        first.wait()
        assert str(os.getpid()) == getattr(second.waiting(), "pid", None)
        with pytest.raises(RunTakenError, match=rf"process {os.getpid()} on .*, waits for a run to begin in {path}"):
            second.wait()
        first.release()
        assert second.waiting() is None
    assert list(tmp_path.iterdir()) == []
