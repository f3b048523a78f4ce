"""Log files of a run directory, and the times of lines."""

from __future__ import annotations

import logging
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from workplace import PROJECT, environment

from shared.config.pipeline import Logging
from shared.config.secrets import fill
from supervisor.cli.log import log_to_files


def settings() -> Logging:
    """One file."""
    return Logging(level="info", to=("file:run.log",), metrics_every_batches=1)


def test_lines_wait_until_the_run_directory_is_made(tmp_path: Path) -> None:
    """A run that is refused writes nothing; one that begins has the lines from its beginning."""
    log = logging.getLogger("run")
    log.setLevel("INFO")
    with log_to_files(settings(), tmp_path, "json"):
        log.info("first")
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "pipeline.yaml").touch()
        log.info("second")
    lines = (tmp_path / "run.log").read_text().splitlines()
    assert ['"first"' in lines[0], '"second"' in lines[1], len(lines)] == [True, True, 2]


def test_a_file_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    """No traceback and no end: the lines are kept for later."""
    log = logging.getLogger("run")
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "run.log").mkdir()
    with log_to_files(settings(), tmp_path, "human"):
        log.info("lost at first")
        (tmp_path / "run.log").rmdir()
        log.info("later")
    assert [line.split(" ", 1)[1] for line in (tmp_path / "run.log").read_text().splitlines()] == [
        "lost at first",
        "later",
    ]


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_what_the_environment_filled_in_is_in_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    """Whoever writes the line, and whether the value stands in it or in what it is given."""
    monkeypatch.setenv("A_SECRET", "hunter2-of-logs")
    fill("${A_SECRET}")
    (tmp_path / "pipeline.yaml").touch()
    with log_to_files(settings(), tmp_path, log_format):
        logging.getLogger("run").warning("column %s; hunter2-of-logs is null", "hunter2-of-logs")
    assert "column ${A_SECRET}; ${A_SECRET} is null" in (tmp_path / "run.log").read_text()


def test_a_line_in_a_file_has_the_date(tmp_path: Path) -> None:
    """A run goes on for weeks; its file says on which day, in UTC."""
    (tmp_path / "pipeline.yaml").touch()
    before = datetime.now(UTC).replace(microsecond=0)
    with log_to_files(settings(), tmp_path, "human"):
        logging.getLogger("run").warning("now")
    time, told = (tmp_path / "run.log").read_text().split()
    assert told == "now"
    assert before <= datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(UTC)


_LINE = """
import logging
from shared.config.pipeline import Logging
from supervisor.cli.log import set_up_logging
settings = Logging(level="info", to=("terminal",), metrics_every_batches=1)
assert (set_up_logging(settings, "human", False, False) is not None) == TERMINAL
logging.getLogger("run").handle(logging.makeLogRecord({"levelno": logging.INFO, "msg": "noon", "created": 43_200.0}))
"""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_utc_wherever_it_stands(terminal: bool) -> None:
    """The same moment has the same time on the terminal, behind a pipe, in files and in tables."""
    reads, writes = pty.openpty() if terminal else os.pipe()
    line = _LINE.replace("TERMINAL", str(terminal))
    there = environment() | {"TZ": "Asia/Tokyo", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", line], cwd=PROJECT, env=there, stderr=writes, check=True, timeout=60)
    assert "12:00:00 noon" in re.sub(r"\x1b\[[0-9;]*m", "", os.read(reads, 10_000).decode())
    os.close(writes)
    os.close(reads)
