"""All metrics of a pipeline over the same rows, streaming; what is undefined is said instead of a misleading number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shared.config.pipeline import Metric
from shared.messages.reports import MetricScore
from shared.metrics.metric import Gauge
from shared.plugins import METRICS

# Sums of more rows than this are shared out over threads, and would depend on how many there are.
_ROWS_AT_ONCE = 16_384


class Meter:
    """All metrics over the same rows, for a model of `classes` classes, or of numbers where it is None."""

    def __init__(self, metrics: Sequence[Metric], classes: int | None) -> None:
        self._metrics = metrics
        self._classes = classes
        self._gauges = [METRICS[metric.name].gauge(metric.options, classes or 0) for metric in metrics]
        self._rows = 0
        self._occurs = np.zeros(classes or 0, bool)
        self._problem: str | None = None

    def update(self, outputs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
        """Add rows: probabilities (rows, classes) or values (rows,), and labels (rows,)."""
        self._rows += len(labels)
        self._problem = self._problem or problem_of(outputs, labels, self._classes)
        if self._problem is not None:
            return
        # torch warns of memory that it may not write to, as Arrow's is.
        predicted = torch.from_numpy(np.require(outputs, self._type(outputs.dtype), ["C", "W"]))
        true = torch.from_numpy(np.require(labels, self._type(np.int64), ["C", "W"]))
        if self._classes is not None:
            self._occurs[true.numpy()] = True
        for start in range(0, len(labels), _ROWS_AT_ONCE):
            for gauge in self._gauges:
                gauge.update(predicted[start : start + _ROWS_AT_ONCE], true[start : start + _ROWS_AT_ONCE])

    def scores(self) -> list[MetricScore]:
        """One score a metric, in their order. The same rows in the same pieces give the same bits."""
        return [self._score(metric, gauge) for metric, gauge in zip(self._metrics, self._gauges, strict=True)]

    def _type(self, of_classes: npt.DTypeLike) -> npt.DTypeLike:
        return np.float64 if self._classes is None else of_classes

    def _score(self, metric: Metric, gauge: Gauge) -> MetricScore:
        error = self._undefined(metric)
        value = None if error else float(gauge.compute())
        if value is not None and not math.isfinite(value):
            value, error = None, "too large for a number"
        return MetricScore(metric=metric.label, value=value, n=self._rows, error=error)

    def _undefined(self, metric: Metric) -> str | None:
        if self._rows == 0:
            return "no rows"
        if self._problem is not None:
            return self._problem
        found: str | None = METRICS[metric.name].undefined(metric.options, self._occurs)
        return found


def problem_of(outputs: npt.NDArray[Any], labels: npt.NDArray[Any], classes: int | None) -> str | None:
    """Why these rows cannot be scored, in words; None: they can. `classes`: of the model, None: it predicts numbers."""
    if not np.isfinite(outputs).all():
        return "the model predicts NaN or infinity"
    if classes is not None:
        outside = labels[(labels < 0) | (labels >= classes)]
        if len(outside):
            return f"label {outside[0]} is outside the model's {classes} classes"
    return None
