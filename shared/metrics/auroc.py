"""Metric auroc."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shared.metrics.metric import MetricKind, Options


class Auroc(MetricKind):
    """Area under the ROC curve, exact: of class 1 for two classes, else the mean of one class against the rest.

    A class that is not among the labels is left out.
    """

    task = "classification"
    greater_is_better = True
    best, worst = 1.0, 0.0

    @classmethod
    def undefined(cls, options: Options, occurring: npt.NDArray[np.bool_]) -> str | None:
        """There is nothing to tell apart."""
        return "one class only" if occurring.sum() < 2 else None

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """Keeps the outputs of all rows, float32 (rows, classes), for two classes (rows, 1)."""
        return _Gauge(classes)


class _Gauge:
    def __init__(self, classes: int) -> None:
        self._kept = [1] if classes == 2 else list(range(classes))
        self._outputs: list[npt.NDArray[Any]] = []
        self._labels: list[npt.NDArray[Any]] = []

    def update(self, outputs: Any, labels: Any) -> None:
        self._outputs.append(outputs[:, self._kept].numpy())
        self._labels.append(labels.numpy().copy())

    def compute(self) -> Any:
        outputs, labels = np.concatenate(self._outputs), np.concatenate(self._labels)
        present = set(np.unique(labels).tolist())
        return np.mean([area(outputs[:, i], labels == c) for i, c in enumerate(self._kept) if c in present])


def area(scores: npt.NDArray[Any], positive: npt.NDArray[np.bool_]) -> float:
    """The share of (positive, negative) pairs that the scores put in order, ties half (Mann and Whitney, 1947).

    By ranks, whose sums are exact in float64, so that neither order nor batches of the rows matter. (rows,), (rows,).
    """
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(ties) - (ties - 1) / 2
    positives = int(positive.sum())
    above = rank[place[positive]].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(positive) - positives)))
