"""What is drawn goes by the row at which it is wanted, not by what fired before."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from one_process import OneProcess
from workplace import Workplace


def done(folder: Path, trigger: dict[str, Any]) -> OneProcess:
    """A run with a network whose first weights are drawn."""
    folder.mkdir()
    small = Workplace.small(folder)
    small.pipeline |= {"trigger": trigger, "model": {"id": "mlp", "config": {"num_classes": 2}}}
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["strategy"] = {"name": "all_data"}
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(3))
    run.start()
    run.to_its_end()
    return run


def models(run: OneProcess) -> dict[int, str]:
    """Key → what the model of its trigger is."""
    triggers = [one for one in run.state.triggers.values() if one.model is not None]
    return {one.fired.key: one.model.sha256 for one in triggers if one.model is not None}


def test_the_same_rows_give_the_same_model_whoever_fired(tmp_path: Path) -> None:
    """Every second trigger of one policy is a trigger of the other, with another number."""
    often = done(tmp_path / "often", {"policy": "data_amount", "every": 200})
    seldom = done(tmp_path / "seldom", {"policy": "data_amount", "every": 400})
    assert len(models(seldom)) > 2
    assert models(seldom).items() <= models(often).items()
    assert len(set(models(often).values())) == len(models(often))
