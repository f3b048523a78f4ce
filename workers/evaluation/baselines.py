"""What needs no model: the majority so far, and no change. A score without them misleads.

majority predicts the frequencies of all labels before the row (before the first row: every class alike), no_change
the label of the row before it with certainty. For numbers: the mean of all labels before, and the label before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric
from shared.dataset.table import TableDataset
from shared.metrics import METRICS
from workers.evaluation.metrics import Meter, MetricScore

BASELINES = ("majority", "no_change")
_ROWS_AT_ONCE = 65_536


class LabelHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the labels before `key`. Numbers are one class whose count is their sum."""

    key: int
    counts: tuple[float, ...]
    last: float


def score_baselines(
    dataset: TableDataset, first_key: int, stop_key: int, metrics: Sequence[Metric], history: LabelHistory
) -> tuple[dict[str, list[MetricScore]], LabelHistory]:
    """Both baselines on the rows [first_key, stop_key), and the history after them. O(rows · classes)."""
    numbers = METRICS[metrics[0].name].task == "regression"
    classes = len(history.counts)
    meters = {name: Meter(metrics, None if numbers else classes) for name in BASELINES}
    for start, stop in (*_pieces(history.key, first_key), *_pieces(first_key, stop_key)):
        labels = dataset.labels(start, stop)
        if start >= first_key:
            predicted = (_numbers if numbers else _classes)(labels, history)
            for name, outputs in zip(BASELINES, predicted, strict=True):
                meters[name].update(outputs, labels if numbers else labels.astype(np.int64))
        history = _after(labels, history, numbers, stop)
    return {name: meter.scores() for name, meter in meters.items()}, history


def _pieces(first_key: int, stop_key: int) -> list[tuple[int, int]]:
    return [(start, min(start + _ROWS_AT_ONCE, stop_key)) for start in range(first_key, stop_key, _ROWS_AT_ONCE)]


def _classes(labels: npt.NDArray[Any], history: LabelHistory) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Probabilities (rows, classes) of majority and no_change."""
    one_hot = np.eye(len(history.counts))[labels.astype(np.int64)]
    before = np.cumsum(one_hot, axis=0) - one_hot + np.asarray(history.counts)
    total = before.sum(axis=1, keepdims=True)
    uniform = np.full(before.shape, 1 / before.shape[1])
    majority = np.divide(before, total, out=uniform.copy(), where=total > 0)
    last = np.eye(len(history.counts))[[int(history.last)]] if history.key else uniform[:1]
    return majority, np.concatenate([last, one_hot[:-1]])


def _numbers(labels: npt.NDArray[Any], history: LabelHistory) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Values (rows,) of majority and no_change."""
    before = np.cumsum(labels) - labels + history.counts[0]
    rows_before = np.arange(history.key, history.key + len(labels))
    return before / np.maximum(rows_before, 1), np.concatenate([[history.last], labels[:-1]]).astype(np.float64)


def _after(labels: npt.NDArray[Any], history: LabelHistory, numbers: bool, key: int) -> LabelHistory:
    counts = np.asarray(history.counts)
    counts = counts + (labels.sum() if numbers else np.bincount(labels.astype(np.int64), minlength=len(counts)))
    return LabelHistory(key=key, counts=tuple(counts.tolist()), last=float(labels[-1]))
