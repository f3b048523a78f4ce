"""Runs whose policies weigh what errors cost, in one process."""

from __future__ import annotations

import random
from typing import Any

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import DetectTask
from supervisor.core.events import Observed
from supervisor.run.journal import events_in

PRICE = {"training": 3, "error": 0.1}


def played(small: Workplace, seed: int, risk: float = 0.0, **trigger: Any) -> tuple[OneProcess, list[Any], Any]:
    """A run with this policy, what its journal tells of triggers and near misses, and its summary."""
    small.pipeline["trigger"] = trigger
    small.pipeline["evaluation"].pop("on", None)
    small.pipeline.pop("deployment", None)
    run = OneProcess(small, random.Random(seed), risk=risk)
    run.begin()
    summary = run.to_its_end()
    told: list[Any] = []
    for event in events_in(run.directory.journal_path):
        if isinstance(event, Observed):
            told += [(one.key, one.reason, False) for one in event.considered]
            told += [(one.key, one.reason, True) for one in event.triggers]
    small.run_dir.rename(small.folder / f"run-{seed}")
    return run, told, summary


@pytest.mark.parametrize(
    "trigger",
    [
        {"policy": "cost_threshold", "every": 100, "threshold": 2},
        {"policy": "cost_cumulative", "every": 100},
        {"policy": "cost_cumulative", "every": 100, "over": "expected", "after_drift": {"rows": 150}},
    ],
    ids=lambda one: one["policy"],
)
def test_errors_are_weighed_whoever_is_killed(small: Workplace, trigger: dict[str, Any]) -> None:
    """The same triggers and reasons in each replay, of looks that each score the rows since the one before."""
    run, told, summary = played(small, 1, **trigger, price=PRICE)
    killed, again, summary_again = played(small, 2, risk=0.05, **trigger, price=PRICE)
    assert killed.kills
    assert again == told
    assert [reason for _, reason, fires in told if fires][0] == "there is no model yet"
    assert 2 <= sum(fires for *_, fires in told) < 19
    answers = [report.answer for task, report in run.done if isinstance(task, DetectTask)]
    assert [one["n"] for one in answers if one["score"] is not None].count(100) >= len(answers) - 2 * summary[
        "triggers"
    ]
    cost = summary["cost"]
    assert summary_again["cost"] == cost
    accuracy, rows = summary["composite"]["accuracy"], summary["composite_rows"]["rows"]
    assert cost["errors"] == pytest.approx((1 - accuracy) * rows)
    assert cost["total"] == pytest.approx(3 * summary["triggers"] + 0.1 * cost["errors"])


def test_forecasts_are_the_same_whoever_is_killed(small: Workplace) -> None:
    """The error of each look and how far features moved are asked of workers; the journal has what was forecast."""
    trigger = {"policy": "performance_forecast", "every": 50, "horizon": 10, "learn": {"trainings": 2, "looks": 3}}
    run, told, _ = played(small, 1, **trigger, price=PRICE)
    killed, again, _ = played(small, 2, risk=0.03, **trigger, price=PRICE)
    assert killed.kills
    assert again == told
    assert [key for key, *_ in told] == list(range(49, 2_000, 50))
    learned = [reason for _, reason, fires in told if fires and reason.startswith("learning")]
    assert len(learned) == 1
    assert sum("over 10 looks keeping costs up to" in reason for _, reason, _ in told) > 30
    asked = [task.detector for task, _ in run.done if isinstance(task, DetectTask)]
    assert asked == ["performance", "drift"] * 39
