"""Which rows may be trained on, as far as keys, the split and labels in the rows tell it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Split
from shared.dataset.nulls import known
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.split import rows_in_split, seeds_of_column

Mask = npt.NDArray[np.bool_]


class TrainSplit:
    """Rows of the train split, of one dataset; a row whose label is null is none where such rows are dropped."""

    def __init__(self, split: Split, dataset: TableDataset, *, labelled_apart: bool = False) -> None:
        """`labelled_apart`: labels stand in a table of their own, and no row says whether it has one."""
        drops = dataset.config.nulls.labels == "drop" and not labelled_apart
        self._split, self._dataset = split, dataset
        self._null_in = dataset.config.label if drops else None

    def masks(self, first_key: int, stop_key: int) -> Iterator[tuple[int, Mask]]:
        """Which of these rows are, piece by piece: its first key, and (rows,). Raises DataError."""
        for start, seeds, labelled in self._rows(first_key, stop_key):
            train = rows_in_split(seeds, "train", test=self._split.test, validation=self._split.validation)
            yield start, train & labelled

    def _rows(self, first_key: int, stop_key: int) -> Iterator[tuple[int, npt.NDArray[np.uint64], Mask]]:
        """First key, what the split goes by, and which have a label; columns are read where keys do not tell it."""
        by, label = self._split.by, self._null_in
        columns = list(dict.fromkeys(column for column in (by, label) if column is not None))
        if not columns:
            for start in range(first_key, stop_key, ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, stop_key)
                yield start, np.arange(start, stop, dtype=np.uint64), np.ones(stop - start, np.bool_)
        elif first_key < stop_key:
            for start, rows in self._dataset.batches(columns, first_key, stop_key):
                keys = np.arange(start, start + rows.num_rows, dtype=np.uint64)
                seeds = keys if by is None else seeds_of_column(rows.column(by))
                yield start, seeds, np.ones(len(keys), np.bool_) if label is None else known(rows.column(label))
