"""A label that is known seven days after its row is the same label, whether the delay is said or a table says it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from late_stories import DAY_US
from one_process import OneProcess
from workplace import HOUR_US, Workplace, table

ROWS, NAMES = 700, ("zebra ", "Ärger", "a man")
KINDS = ["classes", "texts", "numbers"]


def labels_of(kind: str) -> pa.Array:
    """Labels of 700 rows; a third class comes late."""
    rows = table(ROWS)
    if kind == "numbers":
        return pa.array(np.asarray(rows["x0"]).astype(float) * 3 + np.arange(ROWS) / 50)
    numbers = rows["label"].to_numpy().copy()
    numbers[350::5] = 2
    return pa.array(numbers) if kind == "classes" else pa.array([NAMES[one] for one in numbers])


def workplace(folder: Path, kind: str) -> Workplace:
    """A pipeline for these labels; no file of them is there yet."""
    folder.mkdir()
    small = Workplace.small(folder)
    for file in (folder / "data").iterdir():
        file.unlink()
    small.pipeline["trigger"]["every"] = 90
    small.pipeline["deployment"]["gate"] |= {"at_least": 0.2, "not_worse_by": 0.9}
    small.pipeline["evaluation"]["metrics"] = ["accuracy", "log_loss"]
    small.pipeline["model"]["config"] = {"num_classes": 3}
    if kind == "numbers":
        small.pipeline["model"]["config"] = {"num_classes": 1}
        small.pipeline["training"] |= {
            "loss": {"name": "MSELoss"},
            "optimizer": {"name": "SGD", "config": {"lr": 0.01}},
        }
        small.pipeline["evaluation"]["metrics"] = ["mae", "mse"]
        small.pipeline["deployment"]["gate"] = {"metric": "mae", "on": "recent", "at_least": 50, "not_worse_by": 50}
    return small


def in_rows(folder: Path, kind: str, **data: Any) -> Workplace:
    """Labels stand in the rows."""
    small = workplace(folder, kind)
    rows = table(ROWS).drop_columns("label").append_column("label", labels_of(kind))
    pq.write_table(rows, folder / "data" / "rows.parquet")
    small.pipeline["data"] |= data
    return small


def in_a_table(folder: Path, kind: str) -> Workplace:
    """Labels stand in a table of their own, and in another order; there `known_at` is seven days after the row."""
    small = workplace(folder, kind)
    ids = pa.array([f"row {key}" for key in range(ROWS)])
    rows = table(ROWS).drop_columns("label").append_column("id", ids)
    pq.write_table(rows, folder / "data" / "rows.parquet")
    known_at = pa.array(np.arange(ROWS) * HOUR_US + 7 * DAY_US, pa.timestamp("us", tz="UTC"))
    labels = pa.table({"id": ids, "label": labels_of(kind), "known_at": known_at})
    order = np.random.default_rng(0).permutation(ROWS)
    (folder / "labels").mkdir()
    for number, some in enumerate(np.array_split(order, 3)):
        pq.write_table(labels.take(pa.array(some)), folder / "labels" / f"{number}.parquet")
    small.config["storage"]["datasets"]["rows"] = {"uri": "data", "labels": {"uri": "labels", "key": ["id"]}}
    return small


def outcome(small: Workplace, seed: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All training sets, weights and scores, byte by byte; and what the summary makes of them."""
    run = OneProcess(small, random.Random(seed))
    run.start()
    run.to_its_end()
    files = sorted(small.run_dir.glob("training_sets/*.parquet")) + sorted(small.run_dir.glob("models/*/*.safetensors"))
    assert len(files) > 8
    found = {str(file.relative_to(small.run_dir)): file.read_bytes() for file in files}
    found["evaluations.csv"] = (small.run_dir / "evaluations.csv").read_bytes()
    summary = json.loads((small.run_dir / "summary.json").read_text())
    told = ("composite", "composite_rows", "deployed_composite", "baselines", "deployed", "classes", "unlabelled")
    triggers = [
        [one[key] for key in ("key", "labelled_key", "samples_selected", "deployed")] for one in summary["trigger_list"]
    ]
    return found, {"triggers": triggers, **{key: summary[key] for key in told}}


def assert_equal(one: tuple[dict[str, bytes], Any], other: tuple[dict[str, bytes], Any]) -> None:
    """To the byte; a file that differs is named."""
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert [name for name, body in one[0].items() if body != other[0][name]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_delay_and_a_table_that_says_it_are_the_same(tmp_path: Path, kind: str) -> None:
    """The same sets, models, scores, decisions, composites and baselines, to the byte."""
    delayed = outcome(in_rows(tmp_path / "a", kind, label_delay="7d"), 1)
    assert_equal(delayed, outcome(in_a_table(tmp_path / "b", kind), 2))
    keys = [(key, labelled_key) for key, labelled_key, *_ in delayed[1]["triggers"]]
    assert keys == [(key, key - 168 if key >= 168 else None) for key in range(89, ROWS, 90)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_delay_of_nothing_is_none(tmp_path: Path, kind: str) -> None:
    """What was written before labels could come late stays as it is."""
    plain = outcome(in_rows(tmp_path / "a", kind), 1)
    assert_equal(plain, outcome(in_rows(tmp_path / "b", kind, label_delay="0s"), 2))
