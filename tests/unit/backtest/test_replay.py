"""A replay fires the triggers of an experiment, for the same reasons, with the same looks that led to none."""

from __future__ import annotations

import random
from typing import Any

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.timestamps import format_timestamp
from supervisor.backtest.plan import plan
from supervisor.core.events import Observed
from supervisor.run.journal import events_in
from supervisor.run.start.first_events import Scope

INPUT_DRIFT = {
    "policy": "data_drift", "every": 150, "window": {"rows": 200}, "reference": "since_trigger", "space": "input",
    "statistics": [{"name": "ks", "decide": {"policy": "p_value", "alpha": 0.05}}],
}  # fmt: skip
POLICIES: dict[str, dict[str, Any]] = {
    "data_amount": {"policy": "data_amount", "every": 370},
    "time": {"policy": "time", "every": "9d", "cool_down": "20d"},
    "schedule": {"policy": "schedule", "cron": "0 3 */9 * *", "expect": {"rows": {"least": 150}}},
    "data_drift": {**INPUT_DRIFT, "warm_up": 2},
    "ensemble": {
        "policy": "ensemble", "combine": "any", "cool_down": 400, "expect": "usual",
        "policies": {"drift": INPUT_DRIFT, "often": {"policy": "data_amount", "every": 300}},
    },
    "budget": {
        "policy": "data_amount", "every": 150,
        "budget": {"gpu_hours": 0.1, "per": "30d", "seconds_per_sample": 1.0},
    },
}  # fmt: skip


def as_run(run: OneProcess) -> tuple[list[dict[str, Any]], int, int, list[int]]:
    """Triggers, questions, near misses, and the first rows of what was not as expected, as the journal has them."""
    seen = [event for event in events_in(run.directory.journal_path) if isinstance(event, Observed)]
    triggers = [
        {"id": one.id, "key": one.key, "timestamp": format_timestamp(one.timestamp_us), "reason": one.reason}
        for event in seen
        for one in event.triggers
    ]
    questions = sum(event.question is not None for event in seen)
    violations = [one.first_key for event in seen for one in event.violations]
    return triggers, questions, sum(len(event.considered) for event in seen), violations


def as_planned(content: dict[str, Any]) -> tuple[list[dict[str, Any]], int, int, list[int]]:
    """The same of a plan."""
    triggers = [{key: one[key] for key in ("id", "key", "timestamp", "reason")} for one in content["triggers"]]
    violations = [one["first_key"] for one in content["violations"]]
    return triggers, content["questions"], content["near_misses"], violations


@pytest.mark.parametrize("policy", POLICIES)
def test_it_fires_as_a_run_does(small: Workplace, policy: str) -> None:
    """Whatever it is told of rows by a local process, and of trainings by counting."""
    small.pipeline["trigger"] = POLICIES[policy]
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(1))
    content = plan(run.configuration, Scope(experiment=True))
    run.start()
    summary = run.to_its_end()
    assert as_planned(content) == as_run(run)
    assert content["untold"] is None
    assert content["triggers"], "there is something to compare"
    assert [one["selected_at_most"] for one in content["triggers"]] == [
        one["samples_selected"] for one in summary["trigger_list"]
    ]
