"""Which streams are replayed with which policies; a window is a tenth of the stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from benchmarks.processes import PROJECT
from shared.plugins import TRIGGERS

DATA = PROJECT.parent / "shared/data"
WINDOWS = 10
ALWAYS = "every window"

FIXED = (ALWAYS, "every second window")

Trigger = dict[str, Any]


class Stream(NamedTuple):
    """A file of `../shared/data`, what of its rows a model sees, and which model that is."""

    file: str
    dataset: Mapping[str, Any]  # of its configuration, beside the uri
    model: Mapping[str, Any]
    epochs: int
    lr: float
    policies: tuple[str, ...]


def _performance(share: int, decide: Trigger) -> Callable[[int], Trigger]:
    return lambda rows: {"policy": "performance", "every": rows // share, "decide": decide}


def _mistakes(rows: int) -> Trigger:
    return {"policy": "performance", "every": rows // 2, "decide": {"policy": "mistakes", "at_least": rows / 10}}


def _drift(rows: int) -> Trigger:
    some = {"rows": rows // 2}
    statistic = {"name": "mmd", "decide": {"policy": "p_value", "alpha": 0.01}}
    return {"policy": "data_drift", "every": rows // 2, "window": some, "statistics": [statistic]}


# Name → the block of pipeline.yaml for windows of so many rows.
POLICIES: Mapping[str, Callable[[int], Trigger]] = {
    ALWAYS: lambda rows: {"policy": "data_amount", "every": rows},
    FIXED[1]: lambda rows: {"policy": "data_amount", "every": 2 * rows},
    "drop .05, a look a window": _performance(1, {"policy": "drop", "by": 0.05}),
    "drop .05": _performance(2, {"policy": "drop", "by": 0.05}),
    "drop .1": _performance(2, {"policy": "drop", "by": 0.1}),
    "below .8": _performance(5, {"policy": "threshold", "threshold": 0.8}),
    "mistakes": _mistakes,
    "mmd": _drift,
}
_OF_SCORES = (FIXED[1], "drop .05, a look a window", "drop .05", "drop .1", "below .8", "mistakes")

STREAMS: Mapping[str, Stream] = {
    "gas_drift": Stream(
        file="gas_drift.parquet",
        dataset={"features": [f"f{number:03}" for number in range(128)]},
        model={"id": "mlp", "config": {"hidden": [64], "num_classes": 6}},
        epochs=20,
        lr=0.002,
        policies=(*_OF_SCORES, "mmd"),
    ),
    "babynames": Stream(
        file="babynames.parquet",
        dataset={"text": "name"},
        model={"id": "text_bag", "config": {"num_classes": 2}},
        epochs=3,
        lr=0.01,
        policies=_OF_SCORES,
    ),
}


def pipeline(stream: str, policy: str, rows: int) -> dict[str, Any]:
    """pipeline.yaml of one run; `rows`: of a window. Each training starts anew."""
    told = STREAMS[stream]
    return {
        "pipeline": {"name": stream},
        "model": dict(told.model),
        "training": {
            "use_previous_model": False,
            "epochs": told.epochs,
            "batch_size": 64,
            "optimizer": {"name": "Adam", "config": {"lr": told.lr}},
            "device": "cpu",
        },
        "data": {"dataset": stream, "split": {"test": 0.1}},
        "trigger": POLICIES[policy](rows),
        "strategy": {"name": "new_data"},
        "initial_mode": "replay",
        "evaluation": {"metrics": ["accuracy"]},
    }


def usable(stream: str) -> list[str]:
    """The policies that this version has, of those for a stream; the one that always retrains is the first."""
    return [ALWAYS, *(one for one in STREAMS[stream].policies if POLICIES[one](10)["policy"] in TRIGGERS)]
