"""From which row on a pair counts, in a stretch of rows that are observed together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.labels.pairs import Pairs

Whole = npt.NDArray[np.int64]

_EARLIEST_US = int(np.iinfo(np.int64).min)


class Stretch(NamedTuple):
    """Rows first, first + 1, … with their event times, and that of the row before."""

    first: int
    times_us: Whole
    before_us: int | None  # None: there is no row before

    @property
    def stop(self) -> int:
        """The key after the last one."""
        return self.first + len(self.times_us)

    @property
    def last_us(self) -> int:
        """Event time at the last row."""
        return int(self.times_us[-1])

    def counts_from(self, pairs: Pairs, from_keys: Whole) -> tuple[Whole, Whole]:
        """(key, moment) from which pairs count, both (n,), if their `known_at` is not after the last row.

        The key is the first one of these rows that is not before the pair's row and not before the first row that was
        observed after its label was found (`from_keys`), and whose event time has reached its `known_at`. It may lie
        behind the last row. The moment is the latest of the row's event time, `known_at` and event time when the label
        was found.
        """
        reached = self.first + np.searchsorted(self.times_us, pairs.known_us, "left")
        keys = np.maximum(np.maximum(reached, pairs.rows), from_keys)
        moments_us = np.maximum(pairs.times_us, pairs.known_us)
        waited = np.flatnonzero((keys == from_keys) & (keys < self.stop))  # for the label to be found
        if len(waited):
            before = np.r_[_EARLIEST_US if self.before_us is None else self.before_us, self.times_us]
            moments_us[waited] = np.maximum(moments_us[waited], before[keys[waited] - self.first])
        return keys, moments_us

    def counted_before(self, pairs: Pairs, from_keys: Whole) -> npt.NDArray[np.bool_]:
        """Which pairs counted before the first of these rows, (n,)."""
        if self.before_us is None:
            return np.zeros(pairs.size, np.bool_)
        return (pairs.known_us <= self.before_us) & (from_keys < self.first) & (pairs.rows < self.first)


class FoundAt:
    """From which row on label rows count that were found lately: after all others everything was observed."""

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._from_keys: list[int] = []

    def note(self, position: int, from_key: int) -> None:
        """Label rows from `position` on count from `from_key` on. Raises ValueError if earlier ones count later."""
        last = self._from_keys[-1] if self._from_keys else None
        if last is not None and from_key < last:
            raise ValueError(f"label rows from {position} on count from row {from_key} on, those before from {last} on")
        if last != from_key:
            self._positions.append(position)
            self._from_keys.append(from_key)

    def forget(self, first_key: int) -> None:
        """Rows before `first_key` are not asked for any more."""
        stale = int(np.searchsorted(self._from_keys, first_key, "left"))
        if stale > 1:
            del self._positions[: stale - 1], self._from_keys[: stale - 1]

    def from_keys(self, positions: Whole) -> Whole:
        """The first row from which each label row counts, (n,); any earlier one where that is long ago."""
        at = np.searchsorted(self._positions, positions, "right") - 1
        return np.asarray(self._from_keys, np.int64)[np.maximum(at, 0)]
