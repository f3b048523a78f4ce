"""What needs no model: the majority so far, of numbers their mean, and no change. A score without them misleads.

majority predicts the frequencies of all labels before the row (before the first row: every class alike), no_change
the label of the row before it with certainty. For numbers: the mean of all labels before, and the label before; 0
before the first row. Both go from window to window with a `LabelHistory`. Rows without a label are not there for them,
nor are bad rows: those whose label cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric
from shared.messages.reports import MetricScore
from shared.plugins import METRICS
from workers.evaluation.counted import Counted, Which
from workers.evaluation.metrics import Meter
from workers.evaluation.usable_labels import BadRows, Labelled, UsableLabels, is_present, present

BASELINES = ("majority", "no_change")
_ROWS_READ_AT_ONCE = 1_048_576
_CELLS_AT_ONCE = 2_097_152  # rows × classes of one table of probabilities

Guesses = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # of majority and no_change


class LabelHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the labels before `key`. Numbers are one class whose count is their sum."""

    key: int
    counts: tuple[float, ...]
    last: float
    dropped: int = 0  # rows before `key` without a label, or with one that cannot be used

    @property
    def labels(self) -> int:
        """Labels before `key`."""
        return self.key - self.dropped

    def after(self, rows: int, labels: npt.NDArray[Any], counts: Sequence[float]) -> LabelHistory:
        """The history after so many more rows, with these labels."""
        last = float(labels[-1]) if len(labels) else self.last
        dropped = self.dropped + rows - len(labels)
        return LabelHistory(key=self.key + rows, counts=tuple(counts), last=last, dropped=dropped)

    def beyond(self, stop_key: int) -> LabelHistory:
        """The history that knows nothing of the rows up to a key."""
        return self.after(stop_key - self.key, np.empty(0), self.counts)


def score_baselines(
    dataset: Labelled,
    counted: Counted,
    metrics: Sequence[Metric],
    history: LabelHistory,
    bad_rows: BadRows = BadRows(),  # noqa: B008 - it cannot be changed
) -> tuple[dict[str, list[MetricScore]], LabelHistory]:
    """Both baselines on the rows of a window that count, and the history after the last of them. O(rows · classes).

    A class that the history does not know is added to it. Where a bad row is passed over neither has a score, as no
    model has. Raises DataError.
    """
    if history.key > counted.first_key:
        raise ValueError(f"the history reaches to key {history.key}, beyond the first that counts, {counted.first_key}")
    numbers = METRICS[metrics[0].name].task == "regression"
    usable = UsableLabels(dataset, bad_rows, numbers=numbers)
    if not numbers:
        history = _with_new_classes(usable, history, counted.stop_key)
    meters = {name: Meter(metrics, None if numbers else len(history.counts)) for name in BASELINES}
    for found, kept in _pieces(usable, history, counted):
        labels = present(found)
        if kept is not None and len(labels):
            guesses, kept = (_numbers if numbers else _classes)(labels, history), kept[is_present(found)]
            for name, outputs in zip(BASELINES, guesses, strict=True):
                meters[name].update(outputs[kept], labels[kept])
        counts = (_sum_after if numbers else _counts_after)(labels, history)
        history = history.after(len(found), labels, counts)
    bad = usable.bad_in(counted.ranges)
    return {name: meter.scores() if bad is None else no_scores(metrics, bad) for name, meter in meters.items()}, history


def no_scores(metrics: Sequence[Metric], why: str) -> list[MetricScore]:
    """Undefined ones."""
    return [MetricScore(metric=one.label, value=None, n=0, error=why) for one in metrics]


def _with_new_classes(usable: UsableLabels, history: LabelHistory, stop_key: int) -> LabelHistory:
    """The history with a count for each class up to the largest label before `stop_key`."""
    classes = len(history.counts)
    for start in range(history.key, stop_key, _ROWS_READ_AT_ONCE):
        labels = present(usable.labels(start, min(start + _ROWS_READ_AT_ONCE, stop_key)))
        classes = max(classes, int(labels.max(initial=-1)) + 1)
    new = (0.0,) * (classes - len(history.counts))
    return msgspec.structs.replace(history, counts=history.counts + new)


def _pieces(
    usable: UsableLabels, history: LabelHistory, counted: Counted
) -> Iterator[tuple[npt.NDArray[Any], Which | None]]:
    """Labels from the history's key on, and which of these rows count; None: they are only learned from."""
    rows_at_once = max(1, _CELLS_AT_ONCE // len(history.counts))
    for begin, end, counts in counted.pieces(history.key):
        for start in range(begin, end, _ROWS_READ_AT_ONCE):
            stop = min(start + _ROWS_READ_AT_ONCE, end)
            labels, kept = usable.labels(start, stop), counted.among(start, stop) if counts else None
            for offset in range(0, len(labels), rows_at_once):
                some = slice(offset, offset + rows_at_once)
                yield labels[some], None if kept is None else kept[some]


def _classes(labels: npt.NDArray[Any], history: LabelHistory) -> Guesses:
    """Probabilities (rows, classes)."""
    classes = len(history.counts)
    certain = one_hot(labels, classes)
    before = np.cumsum(certain, axis=0) - certain + np.asarray(history.counts)
    rows_before = np.arange(history.labels, history.labels + len(labels))[:, None]
    uniform = np.full((1, classes), 1 / classes)
    majority = np.where(rows_before > 0, before / np.maximum(rows_before, 1), uniform)
    last = one_hot(np.array([history.last]), classes) if history.labels else uniform
    return majority, np.concatenate([last, certain[:-1]])


def one_hot(labels: npt.NDArray[Any], classes: int) -> npt.NDArray[np.float64]:
    """Certainty of each label, (rows, classes)."""
    table = np.zeros((len(labels), classes))
    table[np.arange(len(labels)), labels.astype(np.int64)] = 1
    return table


def _numbers(labels: npt.NDArray[Any], history: LabelHistory) -> Guesses:
    """Values (rows,)."""
    rows_before = np.arange(history.labels, history.labels + len(labels))
    return _sums(labels, history)[:-1] / np.maximum(rows_before, 1), np.concatenate([[history.last], labels[:-1]])


def _sums(labels: npt.NDArray[Any], history: LabelHistory) -> npt.NDArray[np.float64]:
    """The sum of all labels before each row, and after the last; one by one, so that batches do not matter."""
    return np.cumsum(np.concatenate([history.counts, labels]), dtype=np.float64)


def _counts_after(labels: npt.NDArray[Any], history: LabelHistory) -> Sequence[float]:
    counts = np.asarray(history.counts) + np.bincount(labels.astype(np.int64), minlength=len(history.counts))
    return list(counts.tolist())


def _sum_after(labels: npt.NDArray[Any], history: LabelHistory) -> Sequence[float]:
    return (float(_sums(labels, history)[-1]),)
