"""The same baselines where labels come later than their rows: they guess from what was known at the event time of each
row, below its key.

majority goes by the values that were known then, no_change by that of the last row whose label was known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric
from shared.messages.reports import MetricScore
from shared.plugins import METRICS
from workers.evaluation.baselines import BASELINES, Guesses, no_scores, one_hot
from workers.evaluation.counted import Counted, Piece
from workers.evaluation.label_changes import Changes, ChangeSource, KnownSoFar
from workers.evaluation.metrics import Meter
from workers.evaluation.usable_labels import Labelled, UsableLabels, is_present, present

_ROWS_AT_ONCE = 262_144
_CELLS_AT_ONCE = 2_097_152  # rows × classes of one table of probabilities


def score_late_baselines(
    source: ChangeSource,
    usable: UsableLabels,
    counted: Counted,
    metrics: Sequence[Metric],
    so_far: KnownSoFar,
) -> tuple[dict[str, list[MetricScore]], KnownSoFar]:
    """Both baselines on the rows of a window that count, and what is known after the last of them. O(rows · classes).

    For classes `so_far` has a count for each. Where a bad row is passed over neither has a score. Raises DataError.
    """
    numbers = METRICS[metrics[0].name].task == "regression"
    meters = {name: Meter(metrics, None if numbers else len(so_far.counts)) for name in BASELINES}
    for start, stop, counts in _pieces(so_far, counted):
        changes = source.between(start, stop)
        if counts:
            found = usable.labels(start, stop)
            kept = counted.among(start, stop) & is_present(found)
            guesses = (_numbers if numbers else _classes)(changes, start, stop, so_far)
            for name, outputs in zip(BASELINES, guesses, strict=True):
                meters[name].update(outputs[kept], found[kept])
        so_far = _after(changes, stop, so_far, numbers=numbers)
    bad = usable.bad_in(counted.ranges)
    scores = {name: meter.scores() if bad is None else no_scores(metrics, bad) for name, meter in meters.items()}
    return scores, source.kept(so_far)


def with_classes(so_far: KnownSoFar, labels: Labelled, stop_key: int) -> KnownSoFar:
    """With a count for each class up to the largest label before `stop_key`. Raises DataError."""
    classes = len(so_far.counts)
    for start in range(so_far.key, stop_key, _ROWS_AT_ONCE):
        found = present(labels.labels(start, min(start + _ROWS_AT_ONCE, stop_key)))
        classes = max(classes, int(found.max(initial=-1)) + 1)
    return with_room(so_far, classes)


def with_room(so_far: KnownSoFar, classes: int) -> KnownSoFar:
    """With a count for each of so many classes, at least."""
    return msgspec.structs.replace(so_far, counts=so_far.counts + (0.0,) * (classes - len(so_far.counts)))


def _pieces(so_far: KnownSoFar, counted: Counted) -> Iterator[Piece]:
    """From what is known so far to the last row that counts."""
    rows_at_once = max(1, min(_CELLS_AT_ONCE // len(so_far.counts), _ROWS_AT_ONCE))
    for begin, end, counts in counted.pieces(so_far.key):
        rows = rows_at_once if counts else _ROWS_AT_ONCE
        for start in range(begin, end, rows):
            yield Piece(start, min(start + rows, end), counts)


def _classes(changes: Changes, start: int, stop: int, so_far: KnownSoFar) -> Guesses:
    """Probabilities (rows, classes)."""
    counts, classes = np.zeros((stop - start, len(so_far.counts))), len(so_far.counts)
    for values, more in ((changes.value, 1), (changes.before, -1)):
        there = ~np.isnan(values)
        np.add.at(counts, (changes.key[there] - start, values[there].astype(np.int64)), more)
    counts = np.cumsum(counts, axis=0) + np.asarray(so_far.counts)
    known, uniform = counts.sum(axis=1, keepdims=True), np.full((1, classes), 1 / classes)
    majority = np.where(known > 0, counts / np.maximum(known, 1), uniform)
    last, any_last = _last(changes, start, stop, so_far)
    return majority, np.where(any_last[:, None], one_hot(last, classes), uniform)


def _numbers(changes: Changes, start: int, stop: int, so_far: KnownSoFar) -> Guesses:
    """Values (rows,)."""
    places = np.searchsorted(changes.key, np.arange(start, stop), side="right")  # so many changes each row knows
    sums = np.cumsum(np.concatenate([so_far.counts, _differences(changes)]))[places]
    known = so_far.labels + np.concatenate([[0], np.cumsum(_counted(changes))])[places]
    return sums / np.maximum(known, 1), _last(changes, start, stop, so_far)[0]


def _last(
    changes: Changes, start: int, stop: int, so_far: KnownSoFar
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """For each row the label of the last row whose label is known, and whether there is any; 0 where there is none."""
    newest, values = _newest(changes, so_far)
    places = np.searchsorted(changes.key[newest], np.arange(start, stop), side="right")
    last = np.concatenate([[so_far.last], values])[places]
    return last, (places > 0) | (so_far.last_row >= 0)


def _newest(changes: Changes, so_far: KnownSoFar) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Which changes are of the last row whose label is known then, and their values."""
    there = ~np.isnan(changes.value)
    rows = np.where(there, changes.row, -1)
    until = np.maximum.accumulate(np.concatenate([[so_far.last_row], rows]))[:-1]
    newest = there & (rows >= until)
    return newest, changes.value[newest]


def _after(changes: Changes, stop: int, so_far: KnownSoFar, *, numbers: bool) -> KnownSoFar:
    """What the rows from `stop` on know."""
    if numbers:
        counts = [float(np.cumsum(np.concatenate([so_far.counts, _differences(changes)]))[-1])]
    else:
        classes = len(so_far.counts)
        more, fewer = (
            np.bincount(one[~np.isnan(one)].astype(np.int64), minlength=classes)
            for one in (changes.value, changes.before)
        )
        counts = list((np.asarray(so_far.counts) + more - fewer).tolist())
    newest, values = _newest(changes, so_far)
    return msgspec.structs.replace(
        so_far,
        key=stop,
        counts=tuple(counts),
        labels=so_far.labels + int(_counted(changes).sum()),
        last=float(values[-1]) if len(values) else so_far.last,
        last_row=int(changes.row[newest][-1]) if newest.any() else so_far.last_row,
    )


def _differences(changes: Changes) -> npt.NDArray[np.float64]:
    """By how much each changes the sum of what is known."""
    return np.where(np.isnan(changes.value), 0, changes.value) - np.where(np.isnan(changes.before), 0, changes.before)


def _counted(changes: Changes) -> npt.NDArray[np.int64]:
    """By how much each changes the number of labels that are known."""
    return (~np.isnan(changes.value)).astype(np.int64) - (~np.isnan(changes.before)).astype(np.int64)
