"""The log of a supervisor's own workers: where it ends up, and what it says of a worker that ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.system.workers_log import WorkersLog


@pytest.fixture
def log(tmp_path: Path) -> WorkersLog:
    """One that lies beside a run directory."""
    path = tmp_path / ".modyn-workers-1.log"
    path.write_text("Loading.\nerror: no GPU\nGood bye.\n")
    return WorkersLog(path)


def test_a_run_that_never_began_leaves_none(log: WorkersLog) -> None:
    """Nor does it mind one that somebody else removed."""
    log.remove()
    assert not log.path.exists()
    log.remove()
    assert log.lines == []


def test_it_goes_into_the_run_directory_with_those_who_write(log: WorkersLog, tmp_path: Path) -> None:
    """Who has it open writes on at its new place, and there it stays."""
    (tmp_path / "run").mkdir()
    with log.path.open("a") as worker:
        log.keep_at(tmp_path / "run" / "workers.log")
        worker.write("more\n")
    log.remove()
    assert [file.name for file in tmp_path.rglob("*.log")] == ["workers.log"]
    assert log.lines[-1] == "more"


def test_it_stays_where_it_is_if_it_cannot_go(
    log: WorkersLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That is said, and nothing is lost."""
    log.keep_at(tmp_path / "absent" / "workers.log")
    assert f"! the workers' log stays at {log.path}: No such file or directory" in caplog.messages
    log.remove()
    assert log.lines[0] == "Loading."


def test_what_kept_a_worker_from_starting_is_its_sentence(log: WorkersLog) -> None:
    """And one that said nothing is said to."""
    assert log.last_words("train-0-7") == "no GPU"
    log.path.write_text("")
    assert log.last_words("train-0-7") == "it said nothing."


def test_of_a_worker_that_died_the_last_lines_are_told(log: WorkersLog) -> None:
    """Its own and the system's, since it was started, without times, colours and empty lines, and not too long."""
    stamp = "2026-11-30T12:00:00Z"
    before = "error: of the process before\n"
    lines = [
        "the first",
        f"{stamp} train-0-7-cuda:0: the device is hot",
        f"{stamp} evaluate-1-7-cpu: what another says",
        "\x1b[31mFatal Python error\x1b[0m: Segmentation fault",
        "",
        "x" * 1_000,
    ]
    log.path.write_text(before + "\n".join(lines) + "\n")
    told = log.last_words("train-0-7", len(before))
    assert told == " / ".join(["the device is hot", "Fatal Python error: Segmentation fault", "x" * 300])
