"""A folder of runs that never were."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_runs import MadeUpRun


def pipeline(metrics: list[Any], window: dict[str, Any]) -> dict[str, Any]:
    """A pipeline that measures these on this window."""
    return {
        "pipeline": {"name": "made-up"},
        "model": {"id": "logistic", "config": {"num_classes": 2}},
        "training": {"on_failure": "continue"},
        "data": {"dataset": "rows", "split": {"test": 0.2}},
        "trigger": {"policy": "data_amount", "every": 100},
        "initial_mode": "replay",
        "evaluation": {"metrics": metrics, "on": [{"name": "next", "window": "until_next_trigger", **window}]},
    }


MakeUp = Callable[..., Path]


@pytest.fixture
def make_up(tmp_path: Path) -> MakeUp:
    """Writes a run into `runs`, over 1,000 rows, with triggers at these keys; the run directory."""

    def write(name: str, *trigger_keys: int, **changes: Any) -> Path:
        dataset = {"uri": "data/*.parquet", **changes.pop("dataset", {})}
        config = {"storage": {"datasets": {"rows": dataset}}, **changes.pop("config", {})}
        measured = changes.pop("metrics", ["accuracy", "log_loss"])
        keys = trigger_keys or (99, 299, 599)
        run = MadeUpRun(
            path=tmp_path / "runs" / name,
            pipeline=pipeline(measured, changes.pop("window", {})),
            config=config,
            trigger_keys=keys,
            dice=random.Random(name),
            **{"rows": 1_000, **changes},
        )
        return run.write().path

    return write
