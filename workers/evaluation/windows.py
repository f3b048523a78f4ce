"""A model's scores on a stretch of rows, streaming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric, Split
from shared.dataset.event_time import Timed, first_key_after, running_event_time
from shared.messages import Stretch
from shared.split import SplitName, rows_in_split, seeds_of_groups
from workers.evaluation.metrics import Meter, MetricScore

_ROWS_PREDICTED_AT_ONCE = 16_384
# A range that begins inside a file's row group decodes the group from its start: one column is read in long pieces.
_KEYS_AT_ONCE = 262_144


class Columns(Protocol):
    """A dataset by column and range of keys; tables are pyarrow.Table."""

    def read(self, columns: Sequence[str], first_key: int, stop_key: int) -> Any:
        """The rows [first_key, stop_key) as one table."""


class Predictor(Protocol):
    """A model that predicts over a dataset, as workers.inference loads it."""

    @property
    def classes(self) -> int | None:
        """Classes it tells apart; None if it predicts numbers."""

    def predict_batches(
        self, dataset: Any, first_key: int, stop_key: int, batch_rows: int
    ) -> Iterator[tuple[int, npt.NDArray[Any], npt.NDArray[Any]]]:
        """(first key, outputs, labels) for consecutive pieces of [first_key, stop_key)."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The keys [first_key, stop_key), and the event times of the first and last; None if there are none."""

    first_key: int
    stop_key: int
    first_timestamp_us: int | None
    last_timestamp_us: int | None


def resolve(stretch: Stretch, dataset: Timed) -> Rows:
    """Find the stretch's first key, and the event times at its ends, whatever the split. Raises DataError."""
    first_key, stop_key = stretch.first_key, stretch.last_key + 1
    so_far_us = stretch.event_time_us
    if stretch.after_us is not None:
        first_key = first_key_after(dataset, stretch.after_us, first_key, stop_key)
        so_far_us = stretch.after_us
    if first_key >= stop_key:
        return Rows(first_key=stop_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
    first_us = last_us = None
    for start, stop in _pieces(first_key, stop_key):
        times = running_event_time(dataset.timestamps_us(start, stop), so_far_us)
        first_us, last_us = int(times[0]) if first_us is None else first_us, int(times[-1])
        so_far_us = last_us
    return Rows(first_key=first_key, stop_key=stop_key, first_timestamp_us=first_us, last_timestamp_us=last_us)


def evaluate(
    model: Predictor,
    rows: Rows,
    dataset: Columns,
    metrics: Sequence[Metric],
    chosen: tuple[SplitName | None, Split],
) -> list[MetricScore]:
    """The model's scores on the rows of the chosen split (None: all rows). Raises DataError, TrainingError."""
    meter = Meter(metrics, model.classes)
    for start, stop in _pieces(rows.first_key, rows.stop_key):
        mask = split_mask(dataset, start, stop, *chosen)
        if not mask.any():
            continue
        for key, outputs, labels in model.predict_batches(dataset, start, stop, _ROWS_PREDICTED_AT_ONCE):
            kept = mask[key - start : key - start + len(labels)]
            meter.update(outputs[kept], labels[kept])
    return meter.scores()


def split_mask(
    dataset: Columns, first_key: int, stop_key: int, name: SplitName | None, split: Split
) -> npt.NDArray[np.bool_]:
    """Which of the rows [first_key, stop_key) belong to a split; shape (rows,)."""
    if name is None:
        return np.ones(stop_key - first_key, bool)
    if split.by is None:
        seeds = np.arange(first_key, stop_key, dtype=np.uint64)
    else:
        seeds = seeds_of_groups(dataset.read([split.by], first_key, stop_key).column(0).to_pylist())
    return rows_in_split(seeds, name, test=split.test, validation=split.validation)


def _pieces(first_key: int, stop_key: int) -> Iterator[tuple[int, int]]:
    for start in range(first_key, stop_key, _KEYS_AT_ONCE):
        yield start, min(start + _KEYS_AT_ONCE, stop_key)
