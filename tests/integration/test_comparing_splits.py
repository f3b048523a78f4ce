"""Runs that score other splits: every window is scored anew, by processes of its own, on the rows that are in both."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.split import rows_in_split
from supervisor.compare.comparison import compare
from workers.inference import load_model


def finished(small: Workplace, name: str, every: int, window: dict[str, Any], share: float) -> Path:
    """A run that is over, under this name."""
    small.pipeline["trigger"]["every"] = every
    small.pipeline["data"]["split"] = {"test": share}
    small.pipeline["evaluation"]["on"] = [{"name": "next", "window": "until_next_trigger", **window}]
    run = OneProcess(small, random.Random(every))
    run.start()
    run.to_its_end()
    (run.directory.path / "pipeline.yaml").write_text(run.configuration.resolved_pipeline_yaml())
    (run.directory.path / "config.yaml").write_text(run.configuration.resolved_system_yaml())
    return run.directory.path.rename(small.folder / name)


def test_rows_count_that_are_in_the_splits_of_all(small: Workplace) -> None:
    """Each model is judged on the test rows of both runs that it met while it was the newest."""
    del small.pipeline["deployment"]
    small.pipeline["evaluation"]["metrics"] = ["accuracy"]
    every = {"all": 500, "test": 700, "wider": 600}
    runs = [
        finished(small, "all", every["all"], {}, 0.2),
        finished(small, "test", every["test"], {"split": "test"}, 0.2),
        finished(small, "wider", every["wider"], {"split": "test"}, 0.3),
    ]
    said: list[str] = []
    content = compare(runs, sort=None, progress=said.append)
    rows = pq.read_table(sorted((small.folder / "data").glob("*.parquet")))
    counted = rows_in_split(np.arange(2000, dtype=np.uint64), "test", test=0.2, validation=0.0)
    assert content["rows"] == counted[700:].sum() > 200
    for run in content["runs"]:
        path, ends = Path(run["run"]), [*range(every[run["name"]], 2000, every[run["name"]]), 2000]
        wanted = {}
        for index, (start, stop) in enumerate(pairwise(ends)):
            keys = np.arange(max(start, 700), max(stop, 700))
            keys = keys[counted[keys]]
            if len(keys):
                labels = rows["label"].to_numpy()[keys]
                right = load_model(str(path / f"models/{index}")).predict_labels(rows.take(keys)) == labels
                wanted[index] = (len(keys), pytest.approx(right.mean(), abs=1e-9))
        assert {one["trigger"]: (one["n"], one["accuracy"]) for one in run["windows"]} == wanted
    windows = sum(len(run["windows"]) for run in content["runs"])
    assert content["evaluated_anew"]["windows"] == windows
    assert said[-1] == f"evaluated anew: {windows} of {windows} windows"
