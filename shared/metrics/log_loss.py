"""Metric log_loss."""

from __future__ import annotations

from typing import Any

from shared.metrics.metric import MetricKind, Options

PROBABILITY_FLOOR = 1e-7


class LogLoss(MetricKind):
    """Mean of −ln p(label), probabilities clipped at 1e-7."""

    task = "classification"
    estimable = by_row = True
    greater_is_better = False
    best = 0.0

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """A sum in float64, piece by piece."""
        return _Gauge()

    @classmethod
    def expectation(cls, options: Options, classes: int) -> _Expected:
        """A sum in float64, piece by piece."""
        return _Expected()

    @classmethod
    def losses(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """−ln p(label)."""
        return -_log_of(outputs, labels)


def _log_of(outputs: Any, labels: Any) -> Any:
    """ln p(label), (rows,)."""
    chosen = outputs.gather(1, labels[:, None])[:, 0].double()
    return chosen.clamp(PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR).log()


class _Gauge:
    def __init__(self) -> None:
        self._sum: Any = 0
        self._rows = 0

    def update(self, outputs: Any, labels: Any) -> None:
        self._sum = self._sum - _log_of(outputs, labels).sum()
        self._rows += len(labels)

    def compute(self) -> Any:
        return self._sum / self._rows


class _Expected:
    def __init__(self) -> None:
        self._sum: Any = 0
        self._rows = 0

    def update(self, outputs: Any, chances: Any) -> None:
        logs = outputs.double().clamp(PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR).log()
        self._sum = self._sum - (chances.double() * logs).sum()
        self._rows += len(outputs)

    def compute(self) -> Any:
        return self._sum / self._rows
