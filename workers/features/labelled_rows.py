"""A dataset whose labels stand in a table of their own, read as if they stood in the rows: null where none is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset
from shared.dataset.column_kinds import kind_of
from shared.dataset.labels_table import label_rows, labels_table
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.labels.as_of import AsOf
from shared.labels.index import LabelIndex


class LabelSource(Protocol):
    """Where the labels of rows come from."""

    @property
    def are_texts(self) -> bool:
        """Whether they are."""

    def of(self, keys: npt.NDArray[np.int64]) -> pa.Array:
        """Those of rows, (n,); ascending keys. Null where none is known."""


class KnownLabels:
    """The labels of an index, as they were known at some moment."""

    def __init__(self, index: LabelIndex, as_of: AsOf) -> None:
        self.index, self._as_of = index, as_of

    @property
    def are_texts(self) -> bool:
        """So the index says."""
        return bool(pa.types.is_string(self.index.labels(np.empty(0, np.int64), self._as_of).type))

    def of(self, keys: npt.NDArray[np.int64]) -> pa.Array:
        """Each row's last label that was known then."""
        return self.index.labels(keys, self._as_of)


class LabelsOfSome:
    """Those of some rows, as if no other label were known."""

    def __init__(self, labels: LabelSource, keys: npt.NDArray[np.int64]) -> None:
        """`keys`: of these rows, (rows,), each once."""
        self._labels, self._keys = labels, keys

    @property
    def are_texts(self) -> bool:
        """So the others say."""
        return self._labels.are_texts

    def of(self, keys: npt.NDArray[np.int64]) -> pa.Array:
        """Null where it is another row."""
        theirs = pa.array(np.isin(keys, self._keys, assume_unique=True))
        found = self._labels.of(keys)
        return pc.if_else(theirs, found, pa.scalar(None, found.type))


class AnyLabels:
    """The labels of the table in their order, whosever they are: to try out what learns from them."""

    def __init__(self, dataset: Dataset, entries: Sequence[ManifestEntry]) -> None:
        self._table = TableDataset(labels_table(dataset), entries)

    @property
    def are_texts(self) -> bool:
        """So the first file says."""
        return self._table.has_text_labels

    def of(self, keys: npt.NDArray[np.int64]) -> pa.Array:
        """The labels at these positions; null behind the last."""
        if len(keys) == 0:
            return pa.nulls(0)
        first, stop = (min(key, self._table.rows) for key in (int(keys[0]), int(keys[-1]) + 1))
        pieces = [rows.labels for rows in label_rows(self._table, first, stop)]
        if not pieces:
            return pa.nulls(len(keys))
        there = _in_one_column(pieces)
        return there.take(pa.array(np.where(keys < stop, keys - first, 0), mask=keys >= stop))


def _in_one_column(pieces: Sequence[pa.ChunkedArray]) -> pa.Array:
    """Labels of files that may write them in several types; numbers are then as the index of labels has them."""
    kinds = {kind_of(piece.type) for piece in pieces}
    if len({piece.type for piece in pieces}) > 1 and "text" not in kinds:
        number = pa.float64() if "number" in kinds else pa.int64()
        pieces = [piece.cast(number, safe=False) for piece in pieces]
    tables = [pa.table({"label": piece}) for piece in pieces]
    return pa.concat_tables(tables, promote_options="permissive").column(0).combine_chunks()


class LabelledRows(TableDataset):
    """Rows with their labels."""

    def __init__(self, *args: Any, labels: LabelSource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_source = labels

    def labelled(self, keys: npt.NDArray[np.int64]) -> Self:
        """The same, of which these rows alone, (rows,), have their labels."""
        some = copy(self)
        some.label_source = LabelsOfSome(self.label_source, keys)
        return some

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[tuple[int, pa.Table]]:
        """As of rows that hold their labels."""
        for key, rows in super().batches(self._own(columns), first_key, stop_key, batch_rows):
            yield key, self._with_labels(rows, np.arange(key, key + rows.num_rows), columns)

    def take_batches(
        self, columns: Sequence[str], keys: npt.NDArray[np.int64], batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[pa.Table]:
        """The same; labels are looked up of the rows that are taken alone."""
        start = 0
        for rows in super().take_batches(self._own(columns), keys, batch_rows):
            yield self._with_labels(rows, keys[start : start + rows.num_rows], columns)
            start += rows.num_rows

    def _own(self, columns: Sequence[str]) -> list[str]:
        """What is read of the rows' files."""
        own = [name for name in columns if name != self.config.label]
        return own or [self.config.timestamp]

    def _with_labels(self, rows: pa.Table, keys: npt.NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        if self.config.label not in columns:
            return rows
        return rows.append_column(self.config.label, self.label_source.of(keys)).select(list(columns))

    @property
    def has_text_labels(self) -> bool:
        """Whether those of the table are texts."""
        return self.label_source.are_texts
