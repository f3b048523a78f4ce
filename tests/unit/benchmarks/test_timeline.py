"""What a benchmark reads off a journal of when workers were busy."""

from __future__ import annotations

import pytest

from benchmarks.fleet_idle.timeline import Span, idle_share
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id

TRAINER, OTHER = WorkerId("trainer"), WorkerId("other")


def task(stage: str) -> TaskId:
    return task_id(RunId("run"), TriggerId(0), stage)


def test_a_worker_is_idle_when_it_has_no_task_of_its_own() -> None:
    """Tasks of any kind count as busy, cut at the ends of the stretch; what other workers do does not."""
    spans = [
        Span(task_id=task("select"), claimed_ms=0, ended_ms=110, worker=TRAINER),
        Span(task_id=task("train"), claimed_ms=120, ended_ms=150, worker=TRAINER),
        Span(task_id=task("gather"), claimed_ms=150, ended_ms=190, worker=OTHER),
        Span(task_id=task("evaluate"), claimed_ms=190, ended_ms=None, worker=TRAINER),
    ]

    assert idle_share(spans, TRAINER, 100, 200) == pytest.approx(0.5)


def test_a_wait_begins_when_a_task_could_be_claimed() -> None:
    """In seconds; a task that nobody took has none, which is not a wait of zero."""
    assert Span(task_id=task("gather"), ripe_ms=1_000, claimed_ms=3_500).waited_s == 2.5
    assert Span(task_id=task("gather"), ripe_ms=1_000).waited_s is None
