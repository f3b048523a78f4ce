"""Rules of the training, in a run of one process: the set's metadata names them, and the training goes by them."""

from __future__ import annotations

import random

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.training_rule import TrainingRule
from shared.training_set import TrainingSetFile


@pytest.mark.parametrize(
    ("strategy", "rule"),
    [
        ({"name": "rs2", "share": 0.25}, TrainingRule(name="rs2", options={"share": 0.25, "replacement": False})),
        (
            {"name": "infobatch", "of": "all"},
            TrainingRule(name="infobatch", options={"left_out": 0.5, "whole": 0.125}),
        ),
        (
            {"name": "gradient_norm", "mode": "batch_then_sample", "fraction": 0.5},
            TrainingRule(
                name="batch_then_sample", options={"measure": "gradient_norm", "share": 0.5, "how": "proportional"}
            ),
        ),
    ],
    ids=["rs2", "infobatch", "batch_then_sample"],
)
def test_a_run_trains_by_its_rule(small: Workplace, strategy: dict[str, object], rule: TrainingRule) -> None:
    """Each set names the rule with a seed of its own; models are made, and learn."""
    small.pipeline["strategy"] = strategy
    small.pipeline["training"]["epochs"] = 8
    run = OneProcess(small, random.Random(0))
    run.begin()
    summary = run.to_its_end()
    assert (summary["status"], summary["triggers"]) == ("finished", 4)
    assert summary["composite"]["accuracy"] > 0.7
    found = [TrainingSetFile(small.run_dir / f"training_sets/{number}.parquet").origin for number in range(4)]
    rules = [one.rule for one in found if one.rule is not None]
    assert [one.strategy for one in found] == [strategy["name"]] * 4
    assert len({one.options.pop("seed") for one in rules}) == 4
    assert rules == [rule] * 4
