"""Policies say which of their options may be fitted, and ladders have values that people like to read."""

from __future__ import annotations

from typing import Any

import pytest

from shared.config.fields import Tuned
from supervisor.backtest.tuning.ladder import ladder, moved, octaves_between
from supervisor.backtest.tuning.options import options_of, with_option

LOOKS = {"policy": "performance", "every": 100}
PRICED = {"policy": "cost_threshold", "every": 100, "price": {"training": 5, "error": 0.1}}
AMOUNT, WEEKLY = {"policy": "data_amount", "every": 500}, {"policy": "time", "every": "7d"}
FORECAST = {"policy": "performance_forecast", "every": 100, "price": PRICED["price"]}
DRIFT = {
    "policy": "data_drift",
    "statistics": [{"name": "ks"}, {"name": "psi", "decide": {"policy": "threshold", "threshold": 0.2}}],
}
BLOCKS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (AMOUNT, {"every": 500}),
    ({**WEEKLY, "cool_down": "2d"}, {"every": "7d", "cool_down": "2d"}),
    ({"policy": "schedule", "cron": "@daily"}, {}),
    ({"policy": "cost_periodic", "every": "7d"}, {"every": "7d", "offset": "7d"}),
    (PRICED, {"threshold": 5}),
    ({**PRICED, "threshold": 7}, {"threshold": 7}),
    (FORECAST, {"horizon": 20, "quantile": 0.95}),
    ({**LOOKS, "decide": {"policy": "drop", "by": 0.1}}, {"decide.by": 0.1}),
    ({**LOOKS, "decide": {"policy": "quantile"}}, {"decide.q": 0.05}),
    (DRIFT, {"statistics.0.decide.alpha": 0.05, "statistics.1.decide.threshold": 0.2}),
    ({"policy": "data_drift"}, {"statistics.0.decide.alpha": 0.05}),
    ({"policy": "ensemble", "policies": [AMOUNT, WEEKLY]}, {"policies.0.every": 500, "policies.1.every": "7d"}),
    ({"policy": "ensemble", "policies": {"a.b": AMOUNT}}, {"policies.a.b.every": 500}),
    ({"policy": "asking", "every": 50, "fires": 2}, {"fires": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("block", "marked"), BLOCKS, ids=lambda one: one.get("policy", ""))
def test_policies_say_what_may_be_fitted(configured, block, marked):
    """Theirs, those within them and around them, plug-ins too; each can be put there and is read back."""
    options = options_of(block, configured(block))
    assert {one.key: one.value for one in options} == marked
    for option in options:
        tried = moved(option.value, option.tuned, -1)
        changed = with_option(block, option, tried)
        found = {one.key: one.value for one in options_of(changed, configured(changed))}
        assert found[option.key] == tried != option.value


@pytest.mark.parametrize(
    ("value", "scale", "octaves", "found"),
    [
        ("7d", "times", (-3, -1, 1, 3), ["21h", "84h", "14d", "56d"]),
        ("10m", "times", (-1, 1), ["5m", "20m"]),
        ("12h", "times", (-2, 0.25, 1), ["3h", "14h", "1d"]),
        (1, "times", (-1, 1), [2]),
        (5000, "times", (-0.25, 1), [4200, 10000]),
        (0.95, "odds", (-1, 1, 3), [0.905, 0.974, 0.9935]),
        (0.05, "odds", (-1, 1), [0.026, 0.095]),
        (30.0, "odds", (1,), [60.0]),
        (-0.2, "times", (1,), [-0.4]),
        (0.0, "times", (-1, 1), []),
    ],
)
def test_a_ladder_has_round_values(value, scale, octaves, found):
    """In the unit that people would write, as near 1 as near 0, never the value itself."""
    assert ladder(value, Tuned(scale), octaves) == found


def test_how_far_values_are_apart():
    """In doublings, of odds where these are the scale."""
    assert octaves_between("7d", "14d", Tuned()) == 1
    assert octaves_between(400, 100, Tuned()) == -2
    assert octaves_between(0.5, 0.8, Tuned("odds")) == pytest.approx(2)
    assert octaves_between(0, 3, Tuned()) == float("inf")
