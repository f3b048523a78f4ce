"""The labels of a dataset as a dataset of their own: found, judged and read as rows are; their keys are positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.schema.labels import SUFFIX
from shared.config.system import Dataset, Nulls
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.dataset.timestamp_column import times

_NO_SKEW_S = 1e11  # a label may be known in years, and then waits: no moment is too late for it


class LabelRows(NamedTuple):
    """Rows of a table of labels that follow each other."""

    first_position: int
    keys: pa.Table  # (rows,) of each key column, in the order of `labels.key`; with nulls, which belong to no row
    known_us: npt.NDArray[np.int64]  # (rows,) from when each label is known
    labels: pa.ChunkedArray  # (rows,) as they are; a null is no label
    marks: npt.NDArray[np.int8] | None = None  # (rows,) of local times, as `Times` has them


def labels_name(dataset: str) -> str:
    """What the labels of a dataset are called: in the name of their manifest, and in sentences."""
    return f"{dataset}{SUFFIX}"


def labels_table(dataset: Dataset) -> Dataset:
    """The table of labels that a dataset has: its keys are the labels' positions, its timestamps when they are known,
    its features the key columns. Raises ValueError for one that has none.
    """
    labels = dataset.labels
    if labels is None:
        raise ValueError(f"dataset {dataset.name} has no table of labels")
    return Dataset(
        name=labels_name(dataset.name),
        kind=dataset.kind,
        uri=labels.uri,
        delimiter=labels.delimiter,
        encoding=labels.encoding,
        timestamp=labels.known_at,
        unit=labels.unit,
        format=labels.format,
        zone=labels.zone,
        time_key="known_at",
        future_skew_s=_NO_SKEW_S,
        label=labels.label,
        classes=dataset.classes,
        features=labels.key,
        image=None,
        text=None,
        nulls=Nulls(features="impute", labels="drop"),
    )


def label_rows(
    table: TableDataset, first_position: int, stop_position: int, batch_rows: int = ROWS_AT_ONCE
) -> Iterator[LabelRows]:
    """The label rows [first_position, stop_position) of such a table, piece by piece. Raises DataError."""
    config, keys = table.config, list(table.feature_columns)
    columns = list(dict.fromkeys([config.timestamp, config.label, *keys]))
    for position, rows in table.batches(columns, first_position, stop_position, batch_rows):
        known = times(rows.column(config.timestamp), position, table.file_of(position), config)
        yield LabelRows(position, rows.select(keys), known.us, rows.column(config.label), known.marks)
