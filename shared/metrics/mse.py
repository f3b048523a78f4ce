"""Metric mse."""

from __future__ import annotations

from typing import Any

from shared.metrics.metric import MetricKind, Options


class Mse(MetricKind):
    """Mean of the squared differences."""

    task = "regression"
    greater_is_better = False
    best = 0.0
    by_row = True

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """A sum in float64, piece by piece."""
        return _Gauge()

    @classmethod
    def losses(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """The squared difference."""
        difference = outputs.double() - labels.double()
        return difference * difference


class _Gauge:
    def __init__(self) -> None:
        self._sum: Any = 0
        self._rows = 0

    def update(self, outputs: Any, labels: Any) -> None:
        difference = outputs.double() - labels.double()
        self._sum = self._sum + (difference * difference).sum()
        self._rows += len(labels)

    def compute(self) -> Any:
        return self._sum / self._rows
