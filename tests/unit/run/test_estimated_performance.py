"""Runs that retrain by what a model's score is expected to be, in one process."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_process import OneProcess
from shifting import estimating
from workplace import HOUR_US, Workplace

from shared.config.load import load_configuration
from shared.errors import ConfigurationError
from shared.messages.tasks import DetectTask
from shared.timestamps import format_timestamp


def looking(folder: Path, moves: str, **trigger: Any) -> Workplace:
    """Looks every 2,000 rows; labels come 3,000 rows after theirs."""
    small = estimating(folder, moves)
    del small.pipeline["evaluation"]["estimate"]
    small.pipeline["data"]["label_delay"] = "3000h"
    never = {"policy": "threshold", "threshold": 0.0}
    small.pipeline["trigger"] = {"policy": "estimated_performance", "every": 2_000, "decide": never, **trigger}
    return small


def answers(run: OneProcess) -> list[tuple[DetectTask, dict[str, Any]]]:
    """What was asked and answered of a model."""
    found = [(task, report.answer) for task, report in run.done if isinstance(task, DetectTask)]
    return [(task, answer) for task, answer in found if answer["score"] is not None]


def test_a_model_is_judged_before_a_label_of_its_rows_is_known(tmp_path: Path) -> None:
    """Estimates are near what only later labels say, of which none is used before it is known."""
    small = looking(tmp_path / "moves", "features")
    small.pipeline["evaluation"]["on"] = [{"name": "looked_at", "window": {"every": "2000h"}}]  # rows are an hour apart
    run = OneProcess(small, random.Random(0))
    run.start()
    run.to_its_end()
    with (run.directory.path / "evaluations.csv").open(newline="") as file:
        scored = [one for one in csv.DictReader(file) if one["window"] == "looked_at" and one["metric"] == "accuracy"]
    realised = {(int(one["trigger"]), one["slice"]): float(one["value"]) for one in scored}
    errors = []
    for task, answer in answers(run):
        assert answer["metric"] == "estimated accuracy"
        assert task.labelled_key == task.key - 3_000
        assert answer["n"] == 2_000
        assert answer["calibrated_on"] <= min(2_000, task.labelled_key + 1)
        began = format_timestamp((task.key - 1_999) * HOUR_US)
        errors.append(abs(answer["score"] - realised[answer["model"], began]))
    assert len(errors) >= 5
    assert np.mean(errors) < 0.02


def test_it_fires_by_the_estimate(tmp_path: Path) -> None:
    """The reason says that it is one."""
    small = looking(tmp_path / "moves", "features", decide={"policy": "threshold", "threshold": 0.99, "cool_down": 1})
    run = OneProcess(small, random.Random(0))
    run.start()
    run.to_its_end()
    reasons = [one.fired.reason for one in run.state.triggers.values()]
    assert any(one.startswith("estimated accuracy 0.7") and one.endswith("on 2,000 rows") for one in reasons)


@pytest.mark.parametrize(
    ("trigger", "data", "sentence"),
    [
        ({"metric": "auroc"}, {}, "trigger.metric: auroc cannot be estimated without labels; take accuracy."),
        ({"metric": "mse"}, {}, "apart, and mse measures numbers; write policy: performance."),
        ({}, {"split": {}}, "trigger.policy: is calibrated on rows that no model was trained on, and there are none;"),
        ({"calibrate_on": "validation"}, {}, "calibrate_on: is validation, and data.split.validation is 0;"),
    ],
)
def test_what_it_needs(tmp_path: Path, trigger: Any, data: Any, sentence: str) -> None:
    """A metric that calibrated probabilities tell, and rows to calibrate on."""
    small = looking(tmp_path / "moves", "nothing", **trigger)
    small.pipeline["data"] |= data
    small.write()
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    assert any(sentence in one for one in caught.value.problems), caught.value.problems
