"""A model's scores on a stretch of rows, streaming."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric, Split
from shared.dataset.event_time import first_key_after, running_event_time
from shared.dataset.table import TableDataset
from shared.messages import Stretch
from shared.split import SplitName, rows_in_split, seeds_of_groups
from workers.evaluation.metrics import Meter, MetricScore
from workers.inference import LoadedModel

_ROWS_AT_ONCE = 16_384


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stretch begins and ends, and the event times of its first and last row."""

    first_key: int
    stop_key: int
    first_timestamp_us: int | None
    last_timestamp_us: int | None


def resolve(stretch: Stretch, dataset: TableDataset) -> Rows:
    """Find the stretch's first key, and the event times at its ends. Raises DataError."""
    first_key, stop_key = stretch.first_key, stretch.last_key + 1
    so_far_us = stretch.event_time_us
    if stretch.after_us is not None:
        first_key = first_key_after(dataset, stretch.after_us, first_key, stop_key)
        so_far_us = stretch.after_us
    if first_key >= stop_key:
        return Rows(first_key=stop_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
    first_us = last_us = None
    for start in range(first_key, stop_key, _ROWS_AT_ONCE):
        times = running_event_time(dataset.timestamps_us(start, min(start + _ROWS_AT_ONCE, stop_key)), so_far_us)
        first_us, last_us = int(times[0]) if first_us is None else first_us, int(times[-1])
        so_far_us = last_us
    return Rows(first_key=first_key, stop_key=stop_key, first_timestamp_us=first_us, last_timestamp_us=last_us)


def evaluate(
    model: LoadedModel,
    rows: Rows,
    dataset: TableDataset,
    metrics: Sequence[Metric],
    chosen: tuple[SplitName | None, Split],
) -> list[MetricScore]:
    """The model's scores on the rows of the chosen split (None: all rows). Raises DataError."""
    meter = Meter(metrics, model.classes)
    for key, outputs, labels in model.predict_batches(dataset, rows.first_key, rows.stop_key, _ROWS_AT_ONCE):
        mask = split_mask(dataset, key, key + len(labels), *chosen)
        meter.update(outputs[mask], labels[mask])
    return meter.scores()


def split_mask(
    dataset: TableDataset, first_key: int, stop_key: int, name: SplitName | None, split: Split
) -> npt.NDArray[np.bool_]:
    """Which of the rows [first_key, stop_key) belong to a split; shape (rows,)."""
    if name is None:
        return np.ones(stop_key - first_key, bool)
    if split.by is None:
        seeds = np.arange(first_key, stop_key, dtype=np.uint64)
    else:
        seeds = seeds_of_groups(dataset.read([split.by], first_key, stop_key).column(0).to_pylist())
    return rows_in_split(seeds, name, test=split.test, validation=split.validation)
