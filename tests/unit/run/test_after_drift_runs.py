"""Runs whose trainings wait until rows of the new kind are enough, in one process."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kinds_of_labels import in_a_table
from one_process import OneProcess
from workplace import HOUR_US, Workplace

from shared.messages.tasks import DetectTask
from supervisor.cli.parser import parser
from supervisor.cli.plan import run as plan
from supervisor.core.events import Observed
from supervisor.run.journal import events_in

MOVES = 700  # the row from which on everything is different


def drifting(small: Workplace, *, dice: bool = False, **data: Any) -> Workplace:
    """2,000 rows: features move at row 700, and what the label is of them; or labels that are dice."""
    for file in (small.folder / "data").iterdir():
        file.unlink()
    keys, numbers = np.arange(2_000), np.random.default_rng(4)
    x = numbers.normal(size=(2_000, 2)) + 2 * (keys >= MOVES)[:, None]
    label = numbers.random(2_000) < 0.5 if dice else (x[:, 0] - x[:, 1] > 0) ^ (keys < MOVES)
    columns = {"x0": x[:, 0], "x1": x[:, 1], "label": label.astype(np.int64)}
    moments = pa.array(keys * HOUR_US, pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"timestamp": moments, **columns}), small.folder / "data" / "part-0.parquet")
    statistic = {"name": "mmd", "decide": {"policy": "threshold", "threshold": 0.1}}
    small.pipeline["trigger"] = {
        "policy": "data_drift",
        "window": {"rows": 100},
        "statistics": [statistic],
        "after_drift": {"rows": "auto", "least": 30, "most": 800},
    }
    small.pipeline["data"] |= data
    small.pipeline["evaluation"].pop("on", None)
    small.pipeline.pop("deployment", None)
    return small


def played(small: Workplace, seed: int, risk: float = 0.0) -> tuple[OneProcess, list[tuple[int, str, bool]]]:
    """A run, and key, reason and whether a trigger followed of all that its journal tells."""
    run = OneProcess(small, random.Random(seed), risk=risk)
    run.begin()
    run.to_its_end()
    told: list[tuple[int, str, bool]] = []
    for event in events_in(run.directory.journal_path):
        if isinstance(event, Observed):
            told += [(one.key, one.reason, False) for one in event.considered]
            told += [(one.key, one.reason, True) for one in event.triggers]
    answered = Counter(task.number for task, _ in run.done if isinstance(task, DetectTask))
    assert not risk or run.kills
    assert risk or set(answered.values()) == {1}
    small.run_dir.rename(small.folder / f"run-{seed}")
    return run, told


def test_a_training_waits_for_enough_rows_whoever_is_killed(small: Workplace, capsys: Any) -> None:
    """After the change it comes long before the most rows, by a test that failed before; a plan says the same."""
    _, told = played(drifting(small), 1)
    _, again = played(small, 2, risk=0.05)
    assert again == told
    fired = [(key, reason) for key, reason, fires in told if fires]
    (decided,) = [key for key, reason, _ in told if "waits for 30 to 800 rows of the new kind" in reason]
    assert MOVES <= decided < MOVES + 100
    assert len(fired) == 2
    assert decided + 30 < fired[1][0] < decided + 250
    rows = fired[1][0] - decided
    assert f"; after {rows} rows of the new kind: of {rows} rows with a known label the error falls" in fired[1][1]
    assert any("30 rows of the new kind are not enough: of 30 rows" in reason for _, reason, _ in told)
    files = [str(small.folder / name) for name in ("pipeline.yaml", "config.yaml")]
    assert plan(parser().parse_args(["plan", *files, "--json"])) == 0
    planned = json.loads(capsys.readouterr().out)
    assert [(one["key"], one["reason"]) for one in planned["triggers"]] == fired


def test_dice_wait_for_the_most_rows_and_not_for_ever(small: Workplace) -> None:
    """Each look says why its rows are not enough."""
    _, told = played(drifting(small, dice=True), 1)
    (decided,) = [key for key, reason, _ in told if "waits for 30 to 800 rows of the new kind" in reason]
    fired = [(key, reason) for key, reason, fires in told if fires]
    assert fired[1][0] == decided + 800
    assert fired[1][1].endswith("; after 800 rows of the new kind")
    assert sum("are not enough" in reason for _, reason, _ in told) == 15


def test_labels_of_a_table_count_once_they_are_known(tmp_path: Path) -> None:
    """Here seven days after the row; rows are an hour apart."""
    small = in_a_table(tmp_path / "late", "texts")
    enough = {"rows": "auto", "least": 20, "most": 250}
    small.pipeline["trigger"] = {"policy": "data_amount", "every": 200, "after_drift": enough}
    small.pipeline["evaluation"].pop("on", None)
    small.pipeline.pop("deployment", None)
    run = OneProcess(small, random.Random(0))
    run.start()
    run.to_its_end()
    asked = [(t, r.answer) for t, r in run.done if isinstance(t, DetectTask)]
    assert len(asked) > 8
    for task, answer in asked:
        first_key, last_key = task.options["rows"]
        assert answer["rows"] == max(last_key + 1 - first_key - 7 * 24, 0)
    assert asked[-1][1]["rows"] > 20


def test_labels_that_nobody_knows_yet_are_no_rows(small: Workplace) -> None:
    """Rows are an hour apart: so many of the newest do not count, and the training comes as much later."""
    run, told = played(drifting(small, label_delay="50h"), 1)
    (decided,) = [key for key, reason, _ in told if "waits for 30 to 800 rows of the new kind" in reason]
    answers = [(t, r.answer) for t, r in run.done if isinstance(t, DetectTask) and t.detector == "enough_rows"]
    assert all(answer["rows"] == max(task.key - decided - 50, 0) for task, answer in answers)
    assert answers[-1][1]["enough"]
