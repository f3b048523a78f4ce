"""Every policy and every guard, as a run directory has it, is read back with the values that it was written of."""

from __future__ import annotations

import pytest

from shared.config.resolved import as_written
from shared.config.schema.trigger import TriggerBlock
from shared.config.yaml_source import read_yaml, yaml_text
from shared.plugins import GUARDS, TRIGGERS

BLOCK = TriggerBlock("when")
ROWS = {"policy": "data_amount", "every": 100}
TIME = {"policy": "time", "every": "1.5h"}
DRIFT = {
    "policy": "data_drift",
    "every": "1d",
    "window": {"last": "7d"},
    "reference": "since_trigger",
    "space": "embedding",
    "pca": 16,
    "most_rows": 500,
    "statistics": [
        {"name": "mmd", "permutations": 0, "decide": {"policy": "threshold", "threshold": -0.5, "release": -0.6}},
        {"name": "psi", "features": "mean", "decide": {"policy": "quantile", "q": 0.1, "direction": "below"}},
        {"name": "adwin"},
        {"name": "ks", "decide": {"policy": "p_value", "warm_up": {"values": 2, "decide": {"policy": "p_value"}}}},
    ],
    "combine": {"at_least": 2},
}
PERFORMANCE = {"policy": "performance", "every": 50, "decide": {"policy": "threshold", "threshold": 0.8}}
MISTAKES = {"policy": "performance", "every": "1d", "decide": {"policy": "mistakes", "at_least": 60}}
SCORED = {
    "policy": "performance",
    "every": 50,
    "metric": {"name": "top_k", "k": 3},
    "window": {"rows": 200},
    "decide": {"policy": "drop", "by": 0.1, "cool_down": 2},
}
CUSUM = {"policy": "cusum", "threshold": 30, "slack": 0.02, "release": 20}
ESTIMATED = {**PERFORMANCE, "policy": "estimated_performance", "method": "cbpe", "rows": 300}
COST = {"policy": "cost", "every": "1h", "per_training_second": 0.5}
EXPECT = {
    "on_violation": "alert",
    "rows": {"least": 3, "most": 10, "times": [0.5, 2]},
    "nulls": {"most": 0.2, "columns": {"on": 0, "1": 1}},
    "ranges": {"columns": {"a": [None, 3], "b": [-1.5, None]}, "outside": 0},
    "categories": {"columns": {"a": ["", "no", "1"]}, "new": 0},
    "labels": {"shares": {"1": [0.05, 0.6], "true": [0, 1]}},
    "score": {"drop": 0.3},
    "usual": [],
    "ignore": ["x", "null"],
    "memory": 1,
}
PRICE = {"training": 5, "error": 0.01}
STALE = {"policy": "cost_threshold", "every": 50, "price": PRICE}
BUDGET = {"gpu_hours": 2, "per": "30d"}
BLOCKS = [
    ROWS,
    TIME,
    {**TIME, "anchor": "2013-01-01"},
    {"policy": "schedule", "cron": "0 3 * * 1"},
    {"policy": "schedule", "cron": "@daily", "timezone": "Europe/Zurich"},
    {"policy": "data_drift"},
    DRIFT,
    PERFORMANCE,
    MISTAKES,
    SCORED,
    ESTIMATED,
    *({**PERFORMANCE, "decide": {**CUSUM, "expected": one}} for one in ("held_out", 0.9, {"looks": 3})),
    COST,
    {**COST, "regret": "mistakes", "expected": 0.9, "measured": True, "seconds_per_sample": 0.1},
    {"policy": "ensemble", "policies": [ROWS, TIME, TIME]},
    {
        "policy": "ensemble",
        "policies": {
            "on": {"policy": "ensemble", "policies": {"time": {**TIME, "cool_down": 5}, "drift": DRIFT}},
            "scores": {**SCORED, "warm_up": {"looks": 2, "policy": {"policy": "ensemble", "policies": [ROWS]}}},
        },
        "combine": "all",
        "within": "2d",
        "max_wait": "1d",
        "budget": {**BUDGET, "seconds_per_sample": 0.002},
        "expect": EXPECT,
    },
    {**PERFORMANCE, "warm_up": 3, "cool_down": "1d", "budget": {**BUDGET, "measured": True}},
    STALE,
    {**STALE, "policy": "cost_cumulative", "threshold": 3, "over": "expected"},
    {"policy": "performance_forecast", "every": "1d", "price": PRICE},
    {
        "policy": "performance_forecast",
        "every": 9,
        "horizon": 5,
        "learn": {"looks": 2},
        "ignore": ["x"],
        "price": PRICE,
    },
    {"policy": "cost_periodic", "every": "7d", "offset": "1d"},
    {**TIME, "price": {**PRICE, "metric": {"name": "top_k", "k": 3}}},
    {"policy": "ensemble", "policies": [ROWS, STALE], "price": PRICE},
    {"policy": "data_drift", "after_drift": {"rows": 500}},
    {"policy": "data_drift", "after_drift": {"rows": "auto", "least": 50, "ignore": ["x"]}},
    {**ROWS, "expect": "usual"},
    {**ROWS, "expect": {}},
    {**ROWS, "expect": {"ranges": {}, "labels": {"shares": {}}}},
    {**ROWS, "expect": EXPECT},
]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_what_is_written_is_read_back(tmp_path, block):
    """With and without options, also within an ensemble: the values are the same, and so is what is written of them."""
    before = BLOCK.deserialize(block)
    (tmp_path / "pipeline.yaml").write_text(yaml_text({"trigger": as_written(BLOCK, before)}), encoding="utf-8")
    after = BLOCK.deserialize(read_yaml(tmp_path / "pipeline.yaml").values["trigger"])
    assert after == before
    assert as_written(BLOCK, after) == as_written(BLOCK, before)


def test_none_is_left_out():
    """Each of our policies stands in the table, and each guard."""
    ours = {name for name in TRIGGERS if TRIGGERS[name].__module__.startswith("supervisor.")}
    assert {one["policy"] for one in BLOCKS} == ours
    ours = {name for name in GUARDS if GUARDS[name].__module__.startswith("supervisor.")}
    assert {key for one in BLOCKS for key in one} >= ours
