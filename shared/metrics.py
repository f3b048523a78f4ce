"""The metrics that exist: names, directions, and what they can be computed on. The computing is the workers'."""

from __future__ import annotations

from typing import Literal

import msgspec


class MetricKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric is, apart from how it is computed."""

    task: Literal["classification", "regression"]
    greater_is_better: bool
    options: dict[str, tuple[object, ...] | type]  # option → allowed values, or its type


METRICS: dict[str, MetricKind] = {
    "accuracy": MetricKind(task="classification", greater_is_better=True, options={}),
    "top_k": MetricKind(task="classification", greater_is_better=True, options={"k": int}),
    "f1": MetricKind(
        task="classification", greater_is_better=True, options={"average": ("macro", "micro", "weighted")}
    ),
    "auroc": MetricKind(task="classification", greater_is_better=True, options={}),
    "log_loss": MetricKind(task="classification", greater_is_better=False, options={}),
    "mse": MetricKind(task="regression", greater_is_better=False, options={}),
    "mae": MetricKind(task="regression", greater_is_better=False, options={}),
}
