"""Runs that weigh what trainings take, in one process."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from one_process import OneProcess
from workplace import HOUR_US, Workplace

from supervisor.core.events import Observed
from supervisor.run.journal import events_in

_WEIGHED = (
    r"regret (\S+) (≥|<) (\S+) mistakes \((\S+) mistakes more: accuracy (\S+) on (\d+) rows, (\S+) expected\), "
    r"for about \S+ s of training on (\d+) rows"
)


def played(small: Workplace, seed: int, risk: float = 0.0, **trigger: Any) -> tuple[OneProcess, list[Any]]:
    """A run with policy cost, and what its journal tells of triggers and near misses."""
    small.pipeline["trigger"] = {"policy": "cost", **trigger}
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment", None)
    run = OneProcess(small, random.Random(seed), risk=risk)
    run.begin()
    run.to_its_end()
    told: list[Any] = []
    for event in events_in(run.directory.journal_path):
        if isinstance(event, Observed):
            told += [(one.key, one.reason) for one in (*event.considered, *event.triggers)]
    small.run_dir.rename(small.folder / f"run-{seed}")
    return run, told


def test_forecasts_go_on_whoever_is_killed(small: Workplace) -> None:
    """Regret, what trainings take and what is spent are the same in each replay; the budget is never exceeded."""
    budget = {"gpu_hours": 0.67, "per": "15d", "seconds_per_sample": 6}
    cost = {"every": "5d", "per_training_second": 75_000, "seconds_per_sample": 6, "budget": budget}
    run, told = played(small, 1, **cost)
    killed, again = played(small, 2, risk=0.05, **cost)
    assert killed.kills
    assert again == told
    triggers = [run.state.trigger(number) for number in range(len(run.state.triggers))]
    assert [one.fired.key for one in triggers] == [120, 360, 720, 1080, 1440, 1800]
    for last in triggers:
        since_us = last.fired.timestamp_us - 15 * 24 * HOUR_US
        within = [one for one in triggers if since_us < one.fired.timestamp_us <= last.fired.timestamp_us]
        assert sum(one.samples * 6 for one in within) <= 0.67 * 3600
    kept = [key for key, reason in told if "GPU-hours of the last 15d are spent" in reason]
    assert kept == [600, 960, 1320, 1680]


def test_trainings_are_measured_if_an_experiment_says_so(small: Workplace) -> None:
    """From the first on that is over; other strategies than `new_data` may train on all rows."""
    _, told = played(small, 1, every=400, per_training_second=1e12, measured=True)
    assert [key for key, _ in told] == [399, 799, 1199, 1599, 1999]
    assert all(" s of training on " in reason for _, reason in told[1:])
    small.pipeline["strategy"] = {"name": "all_data"}
    _, told = played(small, 2, every=1000, per_training_second=1e-9, measured=True)
    assert [key for key, _ in told] == [999, 1999]
    rows = int(told[1][1].split(" rows")[0].split()[-1].replace(",", ""))
    assert rows > 1500


def test_mistakes_are_found_by_workers(small: Workplace) -> None:
    """Those of the current model on the rows since the last trigger, beyond its share of them on held-out rows."""
    options = {"regret": "mistakes", "per_training_second": 1, "seconds_per_sample": 0.05}
    _, told = played(small, 1, every=100, **options)
    _, again = played(small, 2, every=100, **options)
    assert again == told
    assert [key for key, _ in told] == list(range(99, 2000, 100))
    assert told[0][1] == "there is no model yet"
    parts = [re.fullmatch(_WEIGHED, reason) for _, reason in told[1:]]
    total, since = 0.0, 100
    for part in parts:
        assert part is not None
        regret, fires, worth, more, score, rows, expected, forecast = part.groups()
        assert int(rows) == 100
        missing = max(float(expected) - float(score), 0) * 100
        assert float(more) == pytest.approx(missing, abs=0.2)  # as they are told with three digits
        total += float(more)
        assert float(regret) == pytest.approx(total, abs=0.002 * since)
        assert float(worth) == pytest.approx(int(forecast) * 0.05, abs=0.1)
        total, since = (0.0, 100) if fires == "≥" else (total, since + 100)
    assert {part[2] for part in parts if part} == {"≥", "<"}
