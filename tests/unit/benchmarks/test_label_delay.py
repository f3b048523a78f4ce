"""What a benchmark makes up as weather, and reads off runs that are to be compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_delay.scores import BASELINES, FIRST, OWN, outcome
from benchmarks.label_delay.streams import weather
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import AnyReport, Baselined, Evaluated, MetricValue
from supervisor.core.events import Reported
from supervisor.run.journal import Journal

DAY, MONTH = 24, 30 * 24


def test_weather_is_a_good_guess_for_an_hour_and_a_poor_one_for_a_day() -> None:
    """Of three years, the same for one seed; rain an hour ago says most, a month ago nothing."""
    stream = weather(seed=3)
    rain = stream.rows["label"].to_numpy()

    assert stream.rows.equals(weather(seed=3).rows)
    assert not stream.rows.equals(weather(seed=4).rows)
    assert stream.rows.num_rows == 3 * 365 * DAY
    after = {hours: np.mean(rain[hours:] == rain[:-hours]) for hours in (1, DAY, MONTH)}
    assert after[1] > 0.85 > after[DAY] > after[MONTH] + 0.05


def test_scores_are_of_the_rows_that_all_runs_have_a_model_for(tmp_path: Path) -> None:
    """Means weighted by rows, from a trigger's window on; the first model is that of the first trigger with rows."""
    reports = [
        scored(1, {1: 0.5}, rows=10),
        guessed(1, {"majority": 0.4, "no_change": 0.6}, rows=10),
        scored(2, {1: 0.4, 2: 0.7}, rows=10),
        guessed(2, {"majority": 0.3, "no_change": 0.5}, rows=10),
        scored(3, {1: 0.2, 3: 0.9}, rows=30),
        guessed(3, {"majority": 0.1, "no_change": 0.3}, rows=30),
    ]
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append([Reported(time_us=0, position=str(place), report=one) for place, one in enumerate(reports)])
    journal.close()
    triggers = [{"id": number, "samples_selected": 5 * min(number, 1)} for number in range(4)]
    summary = {"trigger_list": triggers, "triggers": 4, "samples_trained": 15}
    (tmp_path / "summary.json").write_text(json.dumps(summary))

    found = outcome(tmp_path, delay_days=7)

    assert (found.first_trigger, found.triggers, found.empty, found.samples_trained) == (1, 4, 1, 15)
    assert (found.rows(1), found.rows(2)) == (50, 40)
    assert found.score(OWN, "accuracy", 1) == pytest.approx((10 * 0.5 + 10 * 0.7 + 30 * 0.9) / 50)
    assert found.score(OWN, "accuracy", 2) == pytest.approx((10 * 0.7 + 30 * 0.9) / 40)
    assert found.score(FIRST, "accuracy", 2) == pytest.approx((10 * 0.4 + 30 * 0.2) / 40)
    assert found.score(BASELINES["no_change"], "accuracy", 2) == pytest.approx((10 * 0.5 + 30 * 0.3) / 40)


def scored(trigger: int, accuracies: dict[int, float], rows: int) -> AnyReport:
    """What was reported of models (by number) on the window behind a trigger."""
    scores = tuple(value(model, accuracy, rows) for model, accuracy in accuracies.items())
    return Evaluated(task_id=task(trigger, "score"), attempt=1, worker=WorkerId("w"), scores=scores)


def guessed(trigger: int, accuracies: dict[str, float], rows: int) -> AnyReport:
    """And of baselines."""
    scores = {name: (value(trigger, accuracy, rows),) for name, accuracy in accuracies.items()}
    return Baselined(task_id=task(trigger, "baseline"), attempt=1, worker=WorkerId("w"), scores=scores, history={})


def task(trigger: int, stage: str) -> TaskId:
    return task_id(RunId("run"), TriggerId(trigger), stage)


def value(model: int, accuracy: float, rows: int) -> MetricValue:
    return MetricValue(
        metric="accuracy",
        value=accuracy,
        n=rows,
        error=None,
        trigger_id=TriggerId(model),
        window="next",
        slice="",
        first_timestamp_us=0,
        last_timestamp_us=0,
    )
