"""The streams that strategies are compared on: which rows, which model, and how it is trained."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.policies_on_data.questions import DATA
from benchmarks.policies_on_data.questions import STREAMS as OF_POLICIES
from benchmarks.processes import PROJECT

TRIGGERS = 5
VALIDATION = 0.1  # of the rows: none is trained on, and a strategy with a model of its own may learn from them

_DIGITS = PROJECT / "examples" / "digits"
_FLIGHTS = PROJECT / "examples" / "flights" / "data"
_ONE_IN = 4  # of the flights


class Stream(NamedTuple):
    """Rows, and what learns them."""

    rows: Callable[[], pa.Table | None]  # None where they are not there
    missing: str  # what to say then
    seeds: tuple[int, ...]
    metric: str
    half_life: str  # of `recency`: a sixth of the stream
    dataset: Mapping[str, Any]  # of its configuration, beside the uri
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    split: Mapping[str, Any] = {}


def _digits() -> pa.Table:
    """Those of the example, which makes them if they are not there."""
    subprocess.run([sys.executable, str(_DIGITS / "prepare.py")], check=True, stdout=subprocess.DEVNULL)
    return pq.read_table(_DIGITS / "data")


def _gas_drift() -> pa.Table | None:
    file = DATA / OF_POLICIES["gas_drift"].file
    return pq.read_table(file) if file.exists() else None


def _flights() -> pa.Table | None:
    """One flight in four, of the whole year."""
    files = sorted(_FLIGHTS.glob("flights-*.parquet"))
    if not files:
        return None
    rows = pa.concat_tables([pq.read_table(file) for file in files])
    return rows.take(list(range(0, rows.num_rows, _ONE_IN)))


def _adam(lr: float, epochs: int, batch_size: int) -> dict[str, Any]:
    return {"epochs": epochs, "batch_size": batch_size, "optimizer": {"name": "Adam", "config": {"lr": lr}}}


STREAMS: Mapping[str, Stream] = {
    "digits": Stream(
        rows=_digits,
        missing="",
        seeds=(0, 1, 2),
        metric="accuracy",
        half_life="60d",
        dataset={"image": {"column": "image", "shape": [1, 8, 8]}},
        model={"id": "small_cnn", "config": {"num_classes": 10}},
        training=_adam(0.002, epochs=8, batch_size=32),
        split={"by": "specimen"},
    ),
    "gas_drift": Stream(
        rows=_gas_drift,
        missing=f"there is no {DATA / OF_POLICIES['gas_drift'].file}",
        seeds=(0,),
        metric="accuracy",
        half_life="100d",
        dataset=OF_POLICIES["gas_drift"].dataset,
        model=OF_POLICIES["gas_drift"].model,
        training=_adam(OF_POLICIES["gas_drift"].lr, OF_POLICIES["gas_drift"].epochs, batch_size=64),
    ),
    "flights": Stream(
        rows=_flights,
        missing="run `.venv/bin/python examples/flights/prepare.py` first",
        seeds=(0,),
        metric="auroc",
        half_life="60d",
        dataset={"timestamp": "time_hour", "label": "late"},
        model={"id": "mlp", "config": {"hidden": [64, 32], "num_classes": 2}},
        training=_adam(0.002, epochs=6, batch_size=256),
    ),
}


def config(stream: str, folder: Path, train_workers: int) -> dict[str, Any]:
    """config.yaml of its sweeps; the rows lie in this folder."""
    return {
        "broker": {"url": "embedded"},
        "storage": {"datasets": {stream: {"uri": str(folder / "rows.parquet"), **STREAMS[stream].dataset}}},
        "artifacts": {"uri": "runs"},
        "fleet": {"train": train_workers, "evaluate": 1, "device": "cpu"},
    }


def pipeline(stream: str, rows: int) -> dict[str, Any]:
    """pipeline.yaml, without a strategy. Five triggers, equally far apart, and as many rows behind the last one.

    Each training starts anew, so that what a strategy chose is all that its model knows.
    """
    told = STREAMS[stream]
    return {
        "pipeline": {"name": stream},
        "model": dict(told.model),
        "training": {"use_previous_model": False, "device": "cpu", **told.training},
        "data": {"dataset": stream, "split": {"validation": VALIDATION, **told.split}},
        "trigger": {"policy": "data_amount", "every": rows // (TRIGGERS + 1) + 1},
        "initial_mode": "replay",
        "evaluation": {"metrics": [told.metric]},
    }
