"""What the lines of a run say to a machine."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from shared.config.pipeline import Logging
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.reports import Progress
from supervisor.cli.log import log_to_files
from supervisor.core.events import Fired
from supervisor.core.notices import TaskPublishedAgain, TriggerFired
from supervisor.run.listen.run_field import lines_of
from supervisor.run.listen.run_log import RunLog

RUN = RunId("20250101T000000Z-ab12cd")


@pytest.fixture
def lines(tmp_path: Path) -> list[dict[str, str]]:
    """A notice of a trigger and one of a task, a line of somebody else's within the run, and one after it."""
    (tmp_path / "pipeline.yaml").touch()
    logging.getLogger().setLevel("INFO")
    settings = Logging(level="info", to=("file:run.log",), metrics_every_batches=1)
    with log_to_files(settings, tmp_path, "json"):
        with lines_of(RUN):
            log = RunLog(RUN)
            log.hear(TriggerFired(fired=Fired(id=TriggerId(3), key=9, timestamp_us=0, reason="10 rows")))
            who = {"task_id": TaskId(f"{RUN}/3/train/0"), "attempt": 1, "worker": WorkerId("w")}
            log.hear(Progress(**who, epoch=1, epochs=2, loss=0.5, eta_s=9.0))
            logging.getLogger("supervisor.run.broker").info("the broker is back")
        logging.getLogger("elsewhere").info("another run")
    return [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]


def test_every_line_of_a_run_has_its_id(lines: list[dict[str, str]]) -> None:
    """Whoever wrote it; what comes later has not."""
    assert [line.get("run") for line in lines] == [RUN] * (len(lines) - 1) + [None]


def test_a_notice_has_event_trigger_task_and_worker_as_fields(lines: list[dict[str, str]]) -> None:
    """As far as it is of any."""
    fired, trains = lines[0], lines[1]
    assert (fired["event"], fired["trigger"]) == ("trigger_fired", 3)
    assert (trains["event"], trains["trigger"], trains["worker"]) == ("progress", 3, "w")
    assert trains["task"] == f"{RUN}/3/train/0"


def test_a_lost_worker_is_told_of_like_everything_else_of_a_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """By the trigger's number and what was done, not by the name of a message."""
    RunLog(RUN).hear(TaskPublishedAgain(task_id=TaskId(f"{RUN}/0/train/0"), why="train-0 was lost"))
    assert [one.getMessage() for one in caplog.records] == ["! trigger 0: train is published again: train-0 was lost"]
