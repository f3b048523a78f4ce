"""Which policies are tried on a stream, as POLICIES.yaml has them: every policy of the product.

All that they say follows from the stream: they look once a window of the grid, since no other model is to be had in
between, and begin with what a training costs and what models lose on the rows that are learned from. From there
`backtest --tune` goes on. Nothing in it is of one stream alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.timestamps import parse_duration_s

Block = dict[str, Any]

_DAY_S = 86_400
_CRONS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
_SECONDS_PER_SAMPLE = 1e-4  # of `cost`: its unit, by which nothing else is measured here
_MOST_ROWS = 1000  # of a window that are compared


class Shape(NamedTuple):
    """What is known of a stream once its first windows are over."""

    every: int | str  # of the grid: so many rows, or so much event time
    rows: int  # of a window, on average
    seconds: float  # of event time in it
    learned_rows: int  # on which parameters are fitted
    metric: str  # the label of what is judged
    kept: float  # the metric of the first model, kept, on these rows
    renewed: float  # that of each window's newest model
    is_bounded: bool  # whether it has a worst value, which forecasts need
    is_text: bool  # texts are compared by what the model makes of them
    labels: tuple[str, ...]  # of all metrics


def policies(shape: Shape, price: float) -> dict[str, Block]:
    """Name → its group, for a training that costs so many units of loss."""
    every, four = shape.every, _times(shape.every, 4)
    space = "embedding" if shape.is_text else "input"
    lost = max(abs(shape.kept - shape.renewed), 0.01)
    level = (shape.kept + shape.renewed) / 2
    mmd = {"name": "mmd", "permutations": 0, "decide": {"policy": "threshold", "threshold": 0.02}}
    counted = {} if shape.metric == "accuracy" else {"metric": "accuracy"}
    asked: dict[str, Block] = {
        "data_amount": {"policy": "data_amount", "every": 4 * shape.rows},
        "time": {"policy": "time", "every": _duration(4 * shape.seconds)},
        "schedule": {"policy": "schedule", "cron": _crons(shape)[0]},
        "data_drift": {
            "policy": "data_drift",
            "every": every,
            "window": _extent(every),
            "reference": _extent(four),
            "space": space,
            "most_rows": _MOST_ROWS,
            "statistics": [mmd],
        },
        "performance: drop": _performance(every, policy="drop", by=_rounded(lost / 2)),
        "performance: threshold": _performance(every, policy="threshold", threshold=_rounded(level)),
        "performance: cusum": _performance(every, policy="cusum", threshold=price, slack=0.01),
        "cost: latency": _cost(shape, "latency", 8 * shape.rows * shape.seconds),
        "cost_threshold": {"policy": "cost_threshold", "every": every},
        "cost_cumulative": {"policy": "cost_cumulative", "every": every},
        "cost_cumulative: expected": {"policy": "cost_cumulative", "every": every, "over": "expected"},
        "cost_periodic": {"policy": "cost_periodic", "every": four, "offset": every},
        "performance_forecast": {"policy": "performance_forecast", "every": every, "horizon": 5, "space": space},
        "estimated_performance": {
            "policy": "estimated_performance",
            "every": every,
            "rows": _MOST_ROWS,
            "decide": {"policy": "drop", "by": _rounded(lost / 2)},
        },
        "ensemble": {
            "policy": "ensemble",
            "policies": {
                "clock": {"policy": "data_amount", "every": 16 * shape.rows},
                "worse": _performance(every, policy="drop", by=_rounded(lost / 2)),
            },
        },
    }
    if not shape.is_bounded:
        asked["performance_forecast"]["price"] = {"training": price, "error": 1, "metric": "accuracy"}
    if "accuracy" in shape.labels:
        mistakes = _performance(every, policy="mistakes", at_least=price)
        asked["performance: mistakes"] = {**mistakes, **counted}
        asked["cost: mistakes"] = _cost(shape, "mistakes", price)
    elif not shape.is_bounded:
        del asked["performance_forecast"]
    return dict(sorted(asked.items()))


def ladders(shape: Shape) -> dict[str, dict[str, list[Any]]]:
    """What of them is fitted by values of its own."""
    return {"schedule": {"cron": list(_crons(shape))}}


def policies_file(every: Any, strategies: list[Any], price: float, shape: Shape) -> Mapping[str, Any]:
    """All of POLICIES.yaml."""
    grid = {"every": every, "strategies": strategies}
    return {"grid": grid, "prices": [price], "policies": policies(shape, price), "tune": ladders(shape)}


def _times(every: int | str, count: int) -> int | str:
    return count * every if isinstance(every, int) else _duration(count * parse_duration_s(every))


def _extent(span: int | str) -> Block:
    return {"rows" if isinstance(span, int) else "last": span}


def _performance(every: int | str, **decide: Any) -> Block:
    return {"policy": "performance", "every": every, "decide": decide}


def _cost(shape: Shape, regret: str, worth: float) -> Block:
    """What a training of half of the learned rows is worth, in units of the regret."""
    training_s = _SECONDS_PER_SAMPLE * shape.learned_rows / 2
    return {
        "policy": "cost",
        "every": shape.every,
        "regret": regret,
        "per_training_second": _rounded(worth / training_s),
        "seconds_per_sample": _SECONDS_PER_SAMPLE,
    }


def _crons(shape: Shape) -> tuple[str, ...]:
    """Those that come at most once a window, the most frequent first."""
    lengths_s = dict(zip(_CRONS, (3600, _DAY_S, 7 * _DAY_S, 30 * _DAY_S, 365 * _DAY_S), strict=True))
    seldom = tuple(cron for cron, length_s in lengths_s.items() if length_s > 0.9 * shape.seconds)
    return seldom or _CRONS[-1:]


def _duration(seconds: float) -> str:
    return f"{round(seconds / _DAY_S)}d" if seconds > 5 * _DAY_S else f"{max(round(seconds / 3600), 1)}h"


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")
