"""A dataset that can be asked to stop between the pieces it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy.typing as npt

from shared.config.system import Dataset
from workers.features.source import SampleSource
from workers.going_on import Interrupted


class StoppableSource:
    """The source of a training: nothing is trained while it is read."""

    def __init__(self, source: SampleSource, should_stop: Callable[[], bool]) -> None:
        self._source, self._should_stop = source, should_stop

    @property
    def config(self) -> Dataset:
        """Its entry of config.yaml."""
        return self._source.config

    @property
    def rows(self) -> int:
        """Rows that exist now."""
        return self._source.rows

    @property
    def feature_columns(self) -> Sequence[str]:
        """The columns that a table's features come from."""
        return self._source.feature_columns

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int
    ) -> Iterator[tuple[int, Any]]:
        """As the source. Raises Interrupted."""
        for batch in self._source.batches(columns, first_key, stop_key, batch_rows):
            self._look()
            yield batch

    def take_batches(self, columns: Sequence[str], keys: npt.NDArray[Any], batch_rows: int) -> Iterator[Any]:
        """As the source. Raises Interrupted."""
        for table in self._source.take_batches(columns, keys, batch_rows):
            self._look()
            yield table

    def _look(self) -> None:
        if self._should_stop():
            raise Interrupted("stopped while the training set was being read")
