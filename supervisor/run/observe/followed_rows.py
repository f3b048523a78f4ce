"""The rows that are followed, with their event times: read batch by batch, and taken as far as they were looked at."""

from __future__ import annotations

from collections.abc import Iterator

from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from supervisor.core.state import RunState
from supervisor.run.observe.dating import Dated, Dating

BATCH_ROWS = 10_000


class FollowedRows:
    """From behind the last row that the run has seen to the end of those that are there."""

    def __init__(self, dataset: TableDataset, state: RunState) -> None:
        self.dataset = dataset
        self.dating = Dating.of(state)
        self.position = state.stream.observed_key + 1  # of the next row to be looked at
        self._stop_key = state.started.stop_key
        self._streamed: TableDataset | None = None  # what the stream reads: the dataset, until it has grown
        self._stream: Iterator[Times] = iter(())
        self._rest: Dated | None = None  # read, and not looked at
        self._waits_at: int | None = None  # where the rows ended when none of them had a timestamp that it can have

    @property
    def at_end(self) -> bool:
        """Whether all were taken that can be: some may wait for the first with a timestamp that it can have."""
        return self.position >= self._limit or self._waits_at == self._limit

    @property
    def _limit(self) -> int:
        return self.dataset.rows if self._stop_key is None else min(self._stop_key, self.dataset.rows)

    def next(self) -> Dated | None:
        """Those that follow; None while none of them has a timestamp that it can have. Raises DataError."""
        if self._rest is None:
            self._rest = self.dating.date(self._next_times(), self.position, self.dataset)
        if self._rest is None:
            self._streamed, self._waits_at = None, self._limit
        return self._rest

    def take(self, dated: Dated, stop_key: int) -> Dated:
        """Those of them before a key, which were looked at and count; the others are kept to go on with."""
        part, self._rest = dated.cut(stop_key)
        self.dating.take(part, self.dataset)
        self.position = stop_key
        return part

    def _next_times(self) -> Times:
        """Read on where the batch before ended: to begin anew each time would read a file again and again."""
        if self._streamed is not self.dataset:
            self._streamed = self.dataset
            self._stream = self.dataset.timed_batches(self.position, self._limit, BATCH_ROWS)
        return next(self._stream)
