"""What Prometheus is told of a run."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from run_of_events import RUN, Run, decision, ref
from shown_run import ShownRun
from workplace import Workplace

from shared.ids import TaskId, TriggerId, WorkerId
from shared.messages.reports import (
    Baselined,
    Decided,
    Evaluated,
    FeatureNotes,
    MetricValue,
    Progress,
    Selected,
    Trained,
)
from supervisor.core.notices import (
    FaultSurvived,
    ResultCounted,
    RunEnded,
    RunForgotten,
    TaskGivenUp,
    TaskPublishedAgain,
    TriggerConsidered,
)
from supervisor.core.seen import Considered

NOBODY = "redis+socket:///nowhere/r.sock"


class Shown(ShownRun):
    """A run whose broker is away."""

    def __init__(self, small: Workplace) -> None:
        super().__init__(small, NOBODY)

    def hear(self, *reports: Any) -> None:
        """Results that count."""
        for report in reports:
            self.metrics.hear(ResultCounted(report=report))


@pytest.fixture
def shown(small: Workplace) -> Shown:
    """Of the small workplace."""
    return Shown(small)


def who(stage: str, trigger: int = 0) -> dict[str, Any]:
    """What each report begins with."""
    return {"task_id": TaskId(f"{RUN}/{trigger}/{stage}/0"), "attempt": 1, "worker": WorkerId("w")}


def score(value: float | None, trigger: int, window: str = "next", at_us: int = 0) -> MetricValue:
    """The accuracy of a model in a window, up to a moment."""
    return MetricValue(
        metric="accuracy",
        value=value,
        n=1,
        error=None,
        trigger_id=TriggerId(trigger),
        window=window,
        slice=str(at_us),
        first_timestamp_us=None,
        last_timestamp_us=at_us,
    )


def results(trigger: int) -> list[Any]:
    """All that is reported of a trigger that is deployed."""
    notes = FeatureNotes(rows=90)
    trained = Trained(**who("train", trigger), member=ref("m"), train_s=2.0, loss=0.5, device="cpu", features=notes)
    own = [score(0.7, trigger, "recent"), score(0.8, trigger, "months", at_us=trigger), score(0.1, trigger - 1)]
    return [
        Selected(**who("select", trigger), training_set=ref("s"), samples=90, rows_read=100, watermark_key=9),
        trained,
        Evaluated(**who("score", trigger), scores=tuple(own)),
        Baselined(**who("baseline", trigger), scores={"majority": (score(0.4, trigger),)}, history={}),
        Decided(**who("decide", trigger), **decision(True, trigger)),
    ]


def test_nothing_grows_with_the_triggers(small: Workplace, shown: Shown) -> None:
    """After a hundred of them there are the very series that there were after five, on every slice and model."""
    run, seen = Run(small), []
    for trigger in range(100):
        run.fire_next()
        shown.hear(*results(trigger))
        shown.metrics.hear(Progress(**who("train", trigger), epoch=1, epochs=2, loss=0.5, eta_s=1.0))
        shown.metrics.hear(TaskPublishedAgain(task_id=TaskId(f"{RUN}/{trigger}/train/3"), why=""))
        shown.metrics.hear(TaskGivenUp(task_id=TaskId(f"{RUN}/{trigger}/evaluate/17"), sentence=""))
        shown.metrics.turn(run.state, 1000)
        if trigger in (5, 99):
            seen.append(shown.series())
    assert seen[0] == seen[1]
    assert shown.value("modyn_tasks_done_total", stage="train") == 100
    assert shown.value("modyn_trained_rows_total") == 100 * 90 * 2  # in two epochs
    assert shown.value("modyn_training_seconds_total") == 200


def test_a_run_that_has_not_begun_shows_what_there_is(shown: Shown) -> None:
    """It may wait for its first row for days, and must be seen to live."""
    assert shown.value("modyn_run_info", run=RUN, pipeline="small") == 1
    assert shown.value("modyn_broker_up") == 0
    assert shown.value("modyn_silence_seconds") == 0
    assert shown.value("modyn_tasks_failed_total", stage="train") == 0
    assert shown.value("modyn_decisions_total", target="deployed", outcome="refused") == 0


def test_the_state_is_read_when_somebody_asks(small: Workplace, shown: Shown) -> None:
    """Triggers by what has become of them, and how far the newest model is behind rows and event time."""
    run = Run(small)
    run.fire(9, 19)
    run.select()
    run.train()
    shown.metrics.turn(run.state, 30)
    assert shown.value("modyn_run_info", run=RUN, pipeline="small", mode="experiment") == 1
    assert shown.value("modyn_triggers", state="committed") == 1
    assert shown.value("modyn_triggers", state="selecting") == 1
    assert shown.value("modyn_triggers", state="failed") == 0
    assert shown.value("modyn_dataset_rows") == 30
    assert shown.value("modyn_unseen_rows") == 10
    assert shown.value("modyn_rows_behind") == 20
    assert shown.value("modyn_event_time_behind_seconds") == pytest.approx(10e-6)
    assert shown.value("modyn_open_tasks", kind="select") == 1
    (small.folder / "journal.jsonl").write_bytes(b"12345")
    assert shown.value("modyn_journal_bytes") == 5


def test_rows_whose_labels_are_waited_for_are_shown(small: Workplace, shown: Shown) -> None:
    """Of a run that follows its dataset, where labels come late; elsewhere there is no such figure."""
    run = Run(small)
    run.fire(9, 19)
    shown.metrics.turn(run.state, 20)
    assert shown.value("modyn_unsettled_rows") is None
    settings = msgspec.structs.replace(run.state.settings, labels="delayed")
    started = msgspec.structs.replace(run.state.started, mode="production")
    late = run.state.but(settings=settings, started=started)
    shown.metrics.turn(late, 20)
    assert shown.value("modyn_unsettled_rows") == 20
    shown.metrics.turn(late.with_stream(settled_key=12), 20)
    assert shown.value("modyn_unsettled_rows") == 7


def test_silence_is_counted_while_there_is_work_that_nobody_does(small: Workplace, shown: Shown) -> None:
    """A run without open tasks waits for rows; one that has ended waits for nothing."""
    run = Run(small)
    shown.metrics.turn(run.state, 10)
    assert shown.value("modyn_silence_seconds") == 0
    run.fire(9)
    shown.metrics.turn(run.state, 10)
    assert (shown.value("modyn_silence_seconds") or 0) > 0
    shown.metrics.turn(run.state.but(status="failed"), 10)
    assert shown.value("modyn_silence_seconds") == 0
    assert shown.value("modyn_stall_after_seconds") == 600


def test_the_newest_score_is_shown_whatever_order_they_come_in(shown: Shown) -> None:
    """That of the newest model, on the newest slice; one that is undefined is no number."""
    newer, older = score(0.9, 3, at_us=2), score(0.2, 3, at_us=1)
    shown.hear(Evaluated(**who("slices", 3), scores=(newer, older, score(0.3, 2, at_us=9))))
    shown.hear(Evaluated(**who("slices", 2), scores=(score(0.4, 2, at_us=9),)))
    assert shown.value("modyn_score", metric="accuracy", window="next") == 0.9
    shown.hear(Evaluated(**who("score", 4), scores=(score(None, 4),)))
    assert math.isnan(shown.value("modyn_score", metric="accuracy", window="next") or 0)


def test_decisions_count_by_target(shown: Shown) -> None:
    """When a target was given a model last is known, not which model that was."""
    shown.hear(Decided(**who("decide"), **decision(False, None)))
    assert shown.value("modyn_decisions_total", target="deployed", outcome="refused") == 1
    assert shown.value("modyn_deployment_timestamp_seconds", target="deployed") is None
    shown.hear(Decided(**who("decide", 1), **decision(True, 1)))
    assert shown.value("modyn_decisions_total", target="deployed", outcome="deployed") == 1
    assert (shown.value("modyn_deployment_timestamp_seconds", target="deployed") or 0) > 1e9


def test_looks_that_led_to_no_trigger_count(shown: Shown) -> None:
    """A policy that never fires is one that looks, or one that does not."""
    assert shown.value("modyn_near_misses_total") == 0
    shown.metrics.hear(TriggerConsidered(considered=Considered(key=9, reason="mmd 0.01 < 0.02")))
    assert shown.value("modyn_near_misses_total") == 1


def test_faults_that_were_survived_count(shown: Shown) -> None:
    """Those of this session, also what its end tells last."""
    shown.metrics.hear(FaultSurvived(workers_lost=1, reconnects=2))
    shown.metrics.hear(RunForgotten())
    assert shown.value("modyn_workers_lost_total") == 1
    assert shown.value("modyn_broker_reconnects_total") == 2
    assert shown.value("modyn_broker_forgot_total") == 1
    shown.metrics.hear(RunEnded(status="finished", reason="", workers_lost=3, reconnects=2))
    assert shown.value("modyn_workers_lost_total") == 3
