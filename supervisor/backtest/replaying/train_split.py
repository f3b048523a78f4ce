"""Which rows are of the train split, as far as keys, the split and labels in the rows tell it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Split
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.split import rows_in_split, seeds_of_column

Mask = npt.NDArray[np.bool_]


class TrainSplit:
    """Of one dataset."""

    def __init__(self, split: Split, dataset: TableDataset) -> None:
        self._split, self._dataset = split, dataset

    def masks(self, first_key: int, stop_key: int) -> Iterator[tuple[int, Mask]]:
        """Which of these rows are, piece by piece: its first key, and (rows,). Raises DataError."""
        for start, seeds in self._seeds(first_key, stop_key):
            yield start, rows_in_split(seeds, "train", test=self._split.test, validation=self._split.validation)

    def _seeds(self, first_key: int, stop_key: int) -> Iterator[tuple[int, npt.NDArray[np.uint64]]]:
        by = self._split.by
        if by is not None and first_key < stop_key:
            for start, rows in self._dataset.batches([by], first_key, stop_key):
                yield start, seeds_of_column(rows.column(by))
            return
        for start in range(first_key, stop_key, ROWS_AT_ONCE):
            yield start, np.arange(start, min(start + ROWS_AT_ONCE, stop_key), dtype=np.uint64)
