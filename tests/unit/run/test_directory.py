"""One supervisor on a run directory; who only looks at it is in nobody's way."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests_support import Workplace

from shared.config.load import Configuration, load_configuration
from shared.errors import ConfigurationError, RunTakenError
from supervisor.run.directory import RunDirectory


@pytest.fixture
def configuration(small: Workplace) -> Configuration:
    """Both files, read."""
    small.write()
    return load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)


def test_the_second_supervisor_is_refused(configuration: Configuration, tmp_path: Path) -> None:
    """It is told who has the directory, and how to stop it."""
    first = RunDirectory(tmp_path / "run")
    first.create(configuration)
    assert RunDirectory(first.path).supervisor_pid() == os.getpid()
    with pytest.raises(RunTakenError, match=f"another supervisor, process {os.getpid()} on .*, is working on"):
        RunDirectory(first.path).lock()


def test_whoever_looks_at_the_lock_keeps_no_supervisor_out(configuration: Configuration, tmp_path: Path) -> None:
    """`runs` takes the lock for a moment to see whether it is free, again and again."""
    path = tmp_path / "run"
    path.mkdir()
    (path / ".lock").touch()
    looking, enough = threading.Event(), threading.Event()

    def look() -> None:
        while not enough.is_set():
            RunDirectory(path).supervisor_pid()
            looking.set()

    looker = threading.Thread(target=look)
    looker.start()
    looking.wait()
    try:
        RunDirectory(path).create(configuration)
    finally:
        enough.set()
        looker.join()
    assert RunDirectory(path).supervisor_pid() == os.getpid()


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
