"""Metric accuracy."""

from __future__ import annotations

from typing import Any

from shared.metrics.closeness import are_close
from shared.metrics.metric import MetricKind, Options


class Accuracy(MetricKind):
    """Share of rows whose likeliest class is the label; of equally likely classes the smallest counts."""

    task = "classification"
    estimable = by_row = is_share = True
    greater_is_better = True
    best, worst = 1.0, 0.0

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """Counts."""
        return _Gauge()

    @classmethod
    def expectation(cls, options: Options, classes: int) -> _Expected:
        """A sum in float64, piece by piece."""
        return _Expected()

    @classmethod
    def losses(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """1 for a mistake."""
        return (outputs.argmax(dim=1) != labels).double()

    @classmethod
    def close(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """Where the label is nearly as likely as the likeliest of all others."""
        own = labels[:, None]
        others = outputs.scatter(1, own, 0.0).amax(dim=1)
        return are_close(outputs.gather(1, own)[:, 0], others)


class _Gauge:
    def __init__(self) -> None:
        self._right: Any = 0
        self._rows = 0

    def update(self, outputs: Any, labels: Any) -> None:
        self._right = self._right + (outputs.argmax(dim=1) == labels).sum()
        self._rows += len(labels)

    def compute(self) -> Any:
        return self._right.double() / self._rows


class _Expected:
    def __init__(self) -> None:
        self._right: Any = 0
        self._rows = 0

    def update(self, outputs: Any, chances: Any) -> None:
        self._right = self._right + chances.gather(1, outputs.argmax(dim=1, keepdim=True)).double().sum()
        self._rows += len(outputs)

    def compute(self) -> Any:
        return self._right / self._rows
