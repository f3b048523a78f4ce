"""What becomes known of labels that come later than their rows, and what is corrected: *changes*, in the order in which
rows are the first to know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from shared.dataset.event_time import Timed, begin_us, running_event_time, sound_timestamps_us
from shared.labels.index import LabelIndex
from workers.evaluation.usable_labels import UsableLabels

Values = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 262_144


class Changes(NamedTuple):
    """What became known of labels, in order; each (changes,)."""

    key: npt.NDArray[np.int64]  # the first row that can know it
    row: npt.NDArray[np.int64]  # whose label it is, below that
    value: npt.NDArray[np.float64]  # NaN: it has none that can be used
    before: npt.NDArray[np.float64]  # what was known of it until then; NaN: nothing


class KnownSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """What rows before `key` know of the labels. Numbers are one class whose count is their sum."""

    key: int
    counts: tuple[float, ...]
    labels: int = 0  # how many are known
    last: float = 0.0  # the label of the last row whose label is known
    last_row: int = -1
    waiting_from: int = 0  # where labels come after a delay: the first row that waits for it
    before_us: int | None = None  # and event time before that row


class ChangeSource(Protocol):
    """Where changes come from; it is asked for stretches that follow each other."""

    def between(self, first_key: int, stop_key: int) -> Changes:
        """What rows [first_key, stop_key) are the first to know. Raises DataError."""

    def largest(self, first_key: int, stop_key: int) -> int:
        """The largest class that a label of these had for a while; −1: none but its final one. Raises DataError."""

    def kept(self, so_far: KnownSoFar) -> KnownSoFar:
        """With what it must be told to go on from there."""

    def beyond(self, so_far: KnownSoFar, stop_key: int) -> KnownSoFar:
        """What rows from `stop_key` on know, where those up to there cannot be read as labels. Raises DataError."""


class DelayedChanges:
    """A row's label is known once event time has reached that of the row and `delay_us` more."""

    def __init__(self, dataset: Timed, labels: UsableLabels, delay_us: int, so_far: KnownSoFar) -> None:
        self._dataset, self._labels, self._delay_us = dataset, labels, delay_us
        self._row = so_far.waiting_from
        self._before_us = so_far.before_us if so_far.before_us is not None else begin_us(dataset, 0)
        self._times = self._event_times(self._row, so_far.key, self._before_us)  # of the rows that wait

    def between(self, first_key: int, stop_key: int) -> Changes:
        """Those of a prefix of the rows that wait. O(rows)."""
        before_us = int(self._times[-1]) if len(self._times) else self._before_us
        times = self._event_times(first_key, stop_key, before_us)
        waiting = np.concatenate([self._times, times])
        known = int(np.searchsorted(waiting, times[-1] - self._delay_us, side="right"))
        keys = first_key + np.searchsorted(times, waiting[:known] + self._delay_us)
        rows = np.arange(self._row, self._row + known)
        values = self._labels.labels(self._row, self._row + known).astype(np.float64)
        self._row, self._times = self._row + known, waiting[known:]
        self._before_us = int(waiting[known - 1]) if known else self._before_us
        there = ~np.isnan(values)
        nothing = np.full(int(there.sum()), np.nan)
        return Changes(key=keys[there], row=rows[there], value=values[there], before=nothing)

    def largest(self, first_key: int, stop_key: int) -> int:
        """None is ever corrected."""
        return -1

    def kept(self, so_far: KnownSoFar) -> KnownSoFar:
        """Which rows wait, and from what event time on."""
        return msgspec.structs.replace(so_far, waiting_from=self._row, before_us=self._before_us)

    def beyond(self, so_far: KnownSoFar, stop_key: int) -> KnownSoFar:
        """Nothing of the rows that wait, or came."""
        before_us = so_far.before_us if so_far.before_us is not None else begin_us(self._dataset, 0)
        for start in range(so_far.waiting_from, stop_key, _ROWS_AT_ONCE):
            before_us = int(self._event_times(start, min(start + _ROWS_AT_ONCE, stop_key), before_us)[-1])
        return msgspec.structs.replace(so_far, key=stop_key, waiting_from=stop_key, before_us=before_us)

    def _event_times(self, first_key: int, stop_key: int, before_us: int | None) -> npt.NDArray[np.int64]:
        return running_event_time(sound_timestamps_us(self._dataset, first_key, stop_key), before_us)


class TableChanges:
    """Those of an index of labels that stand in a table of their own; `numbered`: its values as `labels` has them."""

    def __init__(self, index: LabelIndex, labels: UsableLabels, numbered: Callable[[Values], Values]) -> None:
        self._index, self._labels, self._numbered = index, labels, numbered

    def between(self, first_key: int, stop_key: int) -> Changes:
        """What is known at a row from its own key on, rows know from the next one on."""
        found = self._index.changes(max(first_key - 1, 0), stop_key)
        keys = np.maximum(found["e"], found["row"] + 1)
        now = (keys >= first_key) & (keys < stop_key)
        found, keys = found[now], keys[now]
        order = np.lexsort((found["row"], keys))
        rows = found["row"][order]
        values, before = (self._usable(found[name][order], rows) for name in ("value", "before"))
        return Changes(key=keys[order], row=rows, value=values, before=before)

    def kept(self, so_far: KnownSoFar) -> KnownSoFar:
        """The index has all else."""
        return so_far

    def beyond(self, so_far: KnownSoFar, stop_key: int) -> KnownSoFar:
        """Nothing of what became known."""
        return msgspec.structs.replace(so_far, key=stop_key)

    def largest(self, first_key: int, stop_key: int) -> int:
        """The largest class among what these rows are the first to know, −1 if there is none."""
        found = self.between(first_key, stop_key)
        there = np.concatenate([one[~np.isnan(one)] for one in (found.value, found.before)])
        return int(there.max(initial=-1))

    def _usable(self, values: Values, rows: npt.NDArray[np.int64]) -> Values:
        there = ~np.isnan(values)
        found = np.full(len(values), np.nan)
        found[there] = self._labels.usable(self._numbered(values[there]), rows[there])
        return found
