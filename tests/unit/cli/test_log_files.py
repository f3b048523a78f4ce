"""Log files of a run directory."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

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
