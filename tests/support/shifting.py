"""A made stream whose features move, and another whose concept does, and a pipeline that estimates its scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from workplace import HOUR_US, Workplace

ROWS, WINDOW = 20_000, 4_000


def made(moves: str, seed: int = 0) -> pa.Table:
    """Three features; what they say of the label is no straight line. `moves`: "features", "concept" or "nothing"."""
    random, keys = np.random.default_rng(seed), np.arange(ROWS)
    way = keys / ROWS
    x = random.normal(size=(ROWS, 3))
    if moves == "features":
        x[:, 0] += 1.2 * way
        x[:, 1] = x[:, 1] * (1 - 0.3 * way) + 0.6 * way
    turn = np.cos(2.5 * way) if moves == "concept" else 1.0
    chance = 1 / (1 + np.exp(-(1.5 * x[:, 0] * turn + x[:, 1] ** 2 - 1 + 0.5 * x[:, 2])))
    label = (random.random(ROWS) < chance).astype(np.int64)
    moments = pa.array(keys * HOUR_US, pa.timestamp("us", tz="UTC"))
    columns = {f"x{number}": x[:, number].astype(np.float32) for number in range(3)}
    return pa.table({"timestamp": moments, **columns, "label": label})


def estimating(folder: Path, moves: str, *, seed: int = 0, **estimate: Any) -> Workplace:
    """A model a window of 4,000 rows, and what it scores there estimated."""
    folder.mkdir(exist_ok=True)
    (folder / "data").mkdir()
    pq.write_table(made(moves, seed), folder / "data" / "0.parquet")
    pipeline = {
        "pipeline": {"name": "made"},
        "model": {"id": "logistic", "config": {"num_classes": 2}},
        "training": {"epochs": 3, "optimizer": {"name": "SGD", "config": {"lr": 0.1}}},
        "data": {"dataset": "rows", "split": {"test": 0.5}},
        "trigger": {"policy": "data_amount", "every": WINDOW},
        "strategy": {"name": "new_data"},
        "initial_mode": "replay",
        "evaluation": {"metrics": ["accuracy", "f1", "log_loss", "auroc"], "estimate": estimate},
    }
    config = {
        "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
        "artifacts": {"uri": "runs"},
        "fleet": {"train": 1, "evaluate": 1, "device": "cpu"},
    }
    return Workplace(folder, pipeline, config)
