"""A model's scores on a stretch of rows, streaming."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.blame import blame
from shared.config.pipeline import Metric
from shared.dataset.event_time import Timed, begin_us, first_key_after, running_event_time, sound_timestamps_us
from shared.dataset.nulls import known
from shared.errors import ModynError
from shared.messages.reports import MetricScore
from shared.messages.rescore import Mask
from shared.messages.tasks import Stretch
from shared.plugins import METRICS
from workers.ahead import ahead
from workers.evaluation.counted import Columns, Which, in_all
from workers.evaluation.metrics import Meter
from workers.failures import device_is_broken, explain
from workers.going_on import Interrupted

_ROWS_PREDICTED_AT_ONCE = 16_384
# A range that begins inside a file's row group decodes the group from its start: one column is read in long pieces.
_KEYS_AT_ONCE = 262_144


class Pending(Protocol):
    """Predictions that are being computed."""

    def read(self) -> npt.NDArray[Any]:
        """Outputs, (rows, classes) or (rows,); waits for the device. Raises TrainingError for NaN."""


class Predictor(Protocol):
    """A model that predicts over a dataset, as workers.inference loads it."""

    @property
    def classes(self) -> int | None:
        """Classes it tells apart; None if it predicts numbers."""

    @property
    def columns(self) -> Sequence[str]:
        """What it reads of a table."""

    @property
    def encoding(self) -> Hashable:
        """Models with the same one take the same encoded rows."""

    def encode(self, table: Any, keys: npt.NDArray[np.int64]) -> Any:
        """Rows as the model takes them. Raises DataError naming column and key."""

    def labels(self, table: Any, name: str, keys: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The label column of a table, (rows,). Raises DataError naming column and key."""

    def predict_encoded(self, encoded: Any) -> Pending:
        """Begin to predict."""


class Watcher(Protocol):
    """Sees what a model predicts, also for rows without a label."""

    def saw(self, outputs: npt.NDArray[Any], labels: npt.NDArray[Any], labelled: npt.NDArray[np.bool_]) -> None:
        """More rows that count: outputs (rows, classes) or (rows,), labels (rows,), and which rows have one."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The keys [first_key, stop_key), and the event times of the first and last; None if there are none."""

    first_key: int
    stop_key: int
    first_timestamp_us: int | None
    last_timestamp_us: int | None
    unlabelled: int = 0  # of those that belong to the split


def resolve(stretch: Stretch, dataset: Timed) -> Rows:
    """Find the stretch's first key, and the event times at its ends, whatever the split. Raises DataError."""
    first_key, stop_key = stretch.first_key, stretch.last_key + 1
    so_far_us = stretch.event_time_us
    if so_far_us is None:
        so_far_us = begin_us(dataset, first_key)
    if stretch.after_us is not None:
        first_key = first_key_after(dataset, stretch.after_us, first_key, stop_key, so_far_us)
        so_far_us = max(so_far_us, stretch.after_us) if so_far_us is not None else stretch.after_us
    if first_key >= stop_key:
        return Rows(first_key=stop_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
    first_us = last_us = None
    for start, stop in _pieces(first_key, stop_key):
        times = running_event_time(sound_timestamps_us(dataset, start, stop), so_far_us)
        first_us, last_us = int(times[0]) if first_us is None else first_us, int(times[-1])
        so_far_us = last_us
    return Rows(first_key=first_key, stop_key=stop_key, first_timestamp_us=first_us, last_timestamp_us=last_us)


class Entrant:
    """A model and what it scores. One that is `forgiven` what goes wrong with it, here any of these kinds of errors,
    has no scores then, and says why.

    So has one that predicts something else than the metrics measure, forgiven or not.
    """

    def __init__(
        self,
        model: Predictor,
        metrics: Sequence[Metric],
        label: str,
        *,
        forgiven: tuple[type[Exception], ...] = (),
        drops: bool = False,
    ) -> None:
        """`drops`: rows without a label are not scored; else they are an error."""
        self.model, self.label, self._drops = model, label, drops
        self._forgiven, self._error = forgiven, _misfit(metrics, model.classes)
        self._metrics, self._meter = metrics, Meter([] if self._error else metrics, model.classes)
        self._pending: list[tuple[Pending, npt.NDArray[Any], Which, Which]] = []
        self.watcher: Watcher | None = None

    def meet(self, table: Any, keys: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], encoded: Encoded) -> None:
        """Predict the rows of a table, of which those that are `kept` count; what was predicted before is read."""
        if self._error:
            return
        try:
            pending = self.model.predict_encoded(encoded.by(self.model, table, keys))
            labels, labelled = self._labels(table, keys, kept)
            self._read()
        except Exception as error:
            self.fail(error)
        else:
            self._pending.append((pending, labels, labelled, kept))

    def scores(self) -> list[MetricScore]:
        """One score a metric, in their order."""
        try:
            self._read()
            if not self._error:
                return self._meter.scores()
        except Exception as error:
            self.fail(error)
        return [MetricScore(metric=one.label, value=None, n=0, error=self._error) for one in self._metrics]

    def fail(self, error: Exception) -> None:
        """It has no scores for this error; raises it again if it is not forgiven."""
        if isinstance(error, Interrupted) or not isinstance(error, self._forgiven):
            raise error
        self._error = forgive(error)
        self._pending.clear()

    def _read(self) -> None:
        while self._pending:
            pending, labels, labelled, kept = self._pending.pop()
            outputs = pending.read()
            self._meter.update(outputs[labelled], labels[labelled])
            if self.watcher is not None:
                self.watcher.saw(outputs[kept], labels[kept], labelled[kept])

    def _labels(
        self, table: Any, keys: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """The label of each row, and which rows count; one that is not there, and so does not count, is 0."""
        there = known(table.column(self.label)) if self._drops else None
        if there is None or there.all():
            return self.model.labels(table, self.label, keys), kept
        found = self.model.labels(table.filter(pa.array(there)), self.label, keys[there])
        labels = np.zeros(len(keys), found.dtype)
        labels[there] = found
        return labels, kept & there


def forgive(error: Exception) -> str:
    """Why a model has no scores; raises the error again where memory or a device fail, which says nothing of it."""
    if explain(error) is not None or device_is_broken(error):
        raise error
    return str(error) if isinstance(error, ModynError) else f"it raised {blame(error)}"


def _misfit(metrics: Sequence[Metric], classes: int | None) -> str:
    """Why none of these metrics can be of a model of so many classes, or of numbers where it is None; else empty."""
    predicts, others = ("numbers", "classes") if classes is None else ("classes", "numbers")
    measured = {"classification": "classes", "regression": "numbers"}
    wrong = [one.label for one in metrics if measured[METRICS[one.name].task] == others]
    return f"it predicts {predicts}, and {wrong[0]} measures {others}" if wrong else ""


class Encoded:
    """The rows of one table, encoded once for all models that take them alike."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def by(self, model: Predictor, table: Any, keys: npt.NDArray[np.int64]) -> Any:
        """As this model takes them. Raises DataError."""
        if model.encoding not in self._known:
            self._known[model.encoding] = model.encode(table, keys)
        return self._known[model.encoding]


def evaluate(
    entrants: Sequence[Entrant],
    rows: Rows,
    dataset: Columns,
    masks: Sequence[Mask],
) -> int:
    """Have all entrants meet the rows that are in all masks, which are read once; how many of these have no label.

    A piece is predicted while the next is read. Raises DataError, TrainingError.
    """
    unlabelled = 0
    columns = list(dict.fromkeys(name for one in entrants for name in (*one.model.columns, one.label)))
    for start, stop in _pieces(rows.first_key, rows.stop_key):
        mask = in_all(dataset, start, stop, masks)
        if not mask.any():
            continue
        pieces = dataset.batches(columns, start, stop, _ROWS_PREDICTED_AT_ONCE)
        if stop - start > _ROWS_PREDICTED_AT_ONCE:  # else there is nothing to read meanwhile
            pieces = ahead(pieces)
        for key, table in pieces:
            keys, encoded = np.arange(key, key + table.num_rows), Encoded()
            kept = mask[key - start : key - start + table.num_rows]
            unlabelled += int((kept & ~known(table.column(entrants[0].label))).sum())
            for entrant in entrants:
                entrant.meet(table, keys, kept, encoded)
    return unlabelled


def _pieces(first_key: int, stop_key: int) -> Iterator[tuple[int, int]]:
    for start in range(first_key, stop_key, _KEYS_AT_ONCE):
        yield start, min(start + _KEYS_AT_ONCE, stop_key)
