"""Baselines are scored on the rows that the models are scored on, also where these are the rows of one split."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from one_process import OneProcess
from workplace import Workplace


@pytest.mark.parametrize("delay", ["0s", "3d"])
def test_baselines_are_scored_on_the_rows_of_the_split(tmp_path: Path, delay: str) -> None:
    """`split: test` of the window that makes the composite is theirs, too."""
    small = Workplace.small(tmp_path)
    small.pipeline["data"]["label_delay"] = delay
    small.pipeline["evaluation"]["on"][0]["split"] = "test"
    run = OneProcess(small, random.Random(1))
    run.start()
    summary = run.to_its_end()
    models, baselines = {}, {}
    for task, report in run.done:
        if task.kind == "baseline":
            baselines[task.trigger_id] = {one.n for of in report.scores.values() for one in of}
        if task.kind == "evaluate":
            found = {one.n for one in report.scores if one.window == "next"}
            models |= {task.trigger_id: found} if found else {}
    assert baselines == models
    assert all(60 < n < 140 for (n,) in models.values())  # a fifth of 500
    assert len(models) == summary["triggers"] - 1  # behind the last trigger there are no rows
