"""How a training goes is told now and then, and forgotten when it is over."""

from __future__ import annotations

import logging

import pytest

from shared.artifacts import ArtifactRef
from shared.ids import RunId, TriggerId, WorkerId, task_id
from shared.messages.reports import Progress, Trained
from supervisor.core.notices import ResultCounted, TaskGivenUp, TaskPublishedAgain, Told
from supervisor.run.listen.run_log import RunLog

TASK = task_id(RunId("run"), TriggerId(0), "train")
WHO = {"task_id": TASK, "attempt": 1, "worker": WorkerId("w")}
PROGRESS = Progress(**WHO, epoch=1, epochs=2, loss=0.5, eta_s=1.0)
TRAINED = Trained(**WHO, member=ArtifactRef(name="m", sha256="", size_bytes=0), train_s=1.0, loss=0.5, device="cpu")


@pytest.mark.parametrize(
    "over",
    [
        ResultCounted(report=TRAINED),
        TaskGivenUp(task_id=TASK, sentence="no"),
        TaskPublishedAgain(task_id=TASK, why="its worker is gone"),
    ],
    ids=["done", "given up", "published again"],
)
def test_the_first_progress_of_a_training_is_told_and_then_not_each(
    over: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """One that begins anew is a new one: nothing is kept of one that is over, in a run of months."""
    caplog.set_level(logging.INFO)
    log = RunLog(RunId("run"))
    lines = []
    for told in (PROGRESS, PROGRESS, over, PROGRESS):
        caplog.clear()
        log.hear(told)
        lines.append([message for message in caplog.messages if "epoch" in message])
    assert [len(one) for one in lines] == [1, 0, 0, 1]
