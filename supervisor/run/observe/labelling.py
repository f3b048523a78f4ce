"""Which labels are known at a trigger, where they come later than their rows: after `label_delay`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Pipeline
from shared.dataset.event_time import begin_us, running_event_time, sound_timestamps_us
from shared.dataset.table import TableDataset
from shared.errors import RunFailedError
from supervisor.core.events import LabelsDiscovered
from supervisor.core.seen import Asked, Fired, LabelsKnown, Settled

_ROWS_AT_ONCE = 1_000_000


class Labelling(Protocol):
    """Hears of all rows in order, and knows whose labels are known."""

    workers_read: bool  # whether workers read what it has heard, and so can do nothing before it is all heard again

    def observe(self, first_key: int, event_time_us: npt.NDArray[np.int64], dataset: TableDataset) -> None:
        """The next rows of a dataset, from `first_key` on. Raises DataError."""

    def found(self, events: Iterable[LabelsDiscovered]) -> None:
        """Labels were found in their table, before the next row. Raises DataError."""

    def at(self, row: Fired | Asked) -> LabelsKnown | None:
        """What is known at a trigger or question of these rows, or of the row before them; None: each label with its
        row.

        Raises RunFailedError for an earlier one.
        """

    @property
    def settled(self) -> Settled | None:
        """How far no label is waited for any more; None: each is known with its row."""

    @property
    def waiting(self) -> int:
        """How many rows wait for their labels."""


class WithRows:
    """Each label is known with its row."""

    workers_read = False
    settled = None
    waiting = 0

    def observe(self, first_key: int, event_time_us: npt.NDArray[np.int64], dataset: TableDataset) -> None:
        """There is nothing to note."""

    def found(self, events: Iterable[LabelsDiscovered]) -> None:
        """There is no table."""

    def at(self, row: Fired | Asked) -> None:
        """All are known."""


class Delayed:
    """Each label is known once event time has reached that of its row and `delay_us` more: so up to some row all are.

    Memory: 8 bytes for each row whose label is not known yet.
    """

    workers_read = False

    def __init__(self, delay_us: int) -> None:
        self._delay_us = delay_us
        self._waiting: deque[tuple[int, npt.NDArray[np.int64]]] = deque()  # first key, event times
        self._known: tuple[int, int] | None = None  # the last row that is known, and event time there
        self._first_key = 0  # of the newest rows
        self._now_us: int | None = None  # event time at the last of them

    def found(self, events: Iterable[LabelsDiscovered]) -> None:
        """There is no table."""

    def observe(self, first_key: int, event_time_us: npt.NDArray[np.int64], dataset: TableDataset) -> None:
        """The next rows. What was known before them is let go of."""
        if len(event_time_us) == 0:
            return
        if self._now_us is not None:
            self._pass(self._now_us - self._delay_us)
        self._first_key, self._now_us = first_key, int(event_time_us[-1])
        self._waiting.append((first_key, event_time_us))

    def at(self, row: Fired | Asked) -> LabelsKnown:
        """The rows up to this one that are as old as the delay then."""
        if row.key < self._first_key - 1:
            raise RunFailedError(too_early(row, self._first_key))
        known = self._last_known(row.timestamp_us - self._delay_us, row.key)
        return LabelsKnown(key=known[0] if known else None, event_time_us=known[1] if known else None)

    @property
    def settled(self) -> Settled:
        """The last row whose label is known now."""
        assert self._now_us is not None, "rows were observed"
        known = self._last_known(self._now_us - self._delay_us, None)
        return Settled(key=known[0] if known else -1)

    @property
    def waiting(self) -> int:
        """All behind that row."""
        if not self._waiting:
            return 0
        known = max(self.settled.key + 1 - self._waiting[0][0], 0)
        return sum(len(times) for _, times in self._waiting) - known

    def _last_known(self, until_us: int, last_key: int | None) -> tuple[int, int] | None:
        """The last row up to `last_key` whose event time is at most `until_us`, and its event time."""
        known = self._known
        for first_key, times in self._waiting:
            rows = int(np.searchsorted(times, until_us, side="right"))
            if last_key is not None:
                rows = min(rows, last_key + 1 - first_key)
            if rows <= 0:
                break
            known = first_key + rows - 1, int(times[rows - 1])
            if rows < len(times):
                break
        return known

    def _pass(self, until_us: int) -> None:
        """Let go of rows that are known for good."""
        while self._waiting:
            first_key, times = self._waiting[0]
            rows = int(np.searchsorted(times, until_us, side="right"))
            if rows == 0:
                return
            self._known = first_key + rows - 1, int(times[rows - 1])
            self._waiting.popleft()
            if rows < len(times):
                self._waiting.appendleft((first_key + rows, times[rows:].copy()))
                return


def too_early(row: Fired | Asked, first_key: int) -> str:
    """Why a trigger cannot be told what is known at it; `first_key`: of the newest rows."""
    return (
        f"The policy wants a trigger at key {row.key}, behind which rows from key {first_key} on were looked at "
        "already. Where labels come late, a trigger is at one of the rows that a policy is given, or at the row before."
    )


def labelling_of(pipeline: Pipeline) -> Labelling:
    """That of labels that stand in their rows."""
    delay_us = pipeline.data.label_delay_us
    return Delayed(delay_us) if delay_us else WithRows()


def hear_rows(labelling: Labelling, dataset: TableDataset, first_key: int, stop_key: int) -> None:
    """Have it hear of rows that are not followed, but may be selected. Raises DataError."""
    for _ in hearing(labelling, dataset, first_key, stop_key):
        pass


def hearing(labelling: Labelling, dataset: TableDataset, first_key: int, stop_key: int) -> Iterator[None]:
    """The same piece by piece: each step has it hear of one. Raises DataError."""
    if isinstance(labelling, WithRows):
        return
    so_far_us = begin_us(dataset, first_key) if first_key < stop_key else None
    for start in range(first_key, stop_key, _ROWS_AT_ONCE):
        times = sound_timestamps_us(dataset, start, min(start + _ROWS_AT_ONCE, stop_key))
        times = running_event_time(times, so_far_us)
        so_far_us = int(times[-1])
        labelling.observe(start, times, dataset)
        yield
