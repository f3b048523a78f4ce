"""Small workplaces whose labels are classes, texts or numbers, and stand in the rows or in a table of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from late_stories import DAY_US
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
