"""Pairs of a row and a label row with equal keys, and those of them whose moment has not come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs, all (n,)."""

    rows: Whole  # keys of rows
    positions: Whole  # of label rows
    known_us: Whole
    values: npt.NDArray[np.float64]
    times_us: Whole  # event times of the rows

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.rows)

    def which(self, some: npt.NDArray[np.bool_]) -> Pairs:
        """Those of a mask."""
        count = int(np.count_nonzero(some))
        if count == len(some):
            return self
        return self.at(np.flatnonzero(some)) if count else NO_PAIRS

    def at(self, index: Whole | slice) -> Pairs:
        """Some of them."""
        return Pairs(
            self.rows[index], self.positions[index], self.known_us[index], self.values[index], self.times_us[index]
        )


_NONE = np.empty(0, np.int64)
NO_PAIRS = Pairs(_NONE, _NONE, _NONE, np.empty(0), _NONE)


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Several as one."""
    some = [part for part in parts if part.size]
    if len(some) < 2:
        return some[0] if some else NO_PAIRS
    return Pairs(
        np.concatenate([part.rows for part in some]),
        np.concatenate([part.positions for part in some]),
        np.concatenate([part.known_us for part in some]),
        np.concatenate([part.values for part in some]),
        np.concatenate([part.times_us for part in some]),
    )


class Waiting:
    """Pairs that wait for event time to reach their `known_at`: a few lists in its order.

    Each was at most half as long as the one before when it was begun, so that a pair is moved a few times in all.
    """

    def __init__(self) -> None:
        self._parts: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Have pairs wait."""
        if not pairs.size:
            return
        pairs = pairs.at(np.argsort(pairs.known_us))
        while self._parts and self._parts[-1].size <= 2 * pairs.size:
            pairs = joined([self._parts.pop(), pairs])
            pairs = pairs.at(np.argsort(pairs.known_us, kind="stable"))  # which is quick for two that are in order
        self._parts.append(pairs)

    def take(self, event_time_us: int) -> Pairs:
        """Those whose moment has come; they wait no more."""
        due, left = [], []
        for part in self._parts:
            stop = int(np.searchsorted(part.known_us, event_time_us, "right"))
            due.append(part.at(slice(stop)))
            if stop < part.size:
                left.append(_without(part, stop))
        self._parts = left
        return joined(due)


def _without(part: Pairs, count: int) -> Pairs:
    """All but the first ones; a copy when it is much smaller than what it would keep in memory."""
    whole = part.rows if part.rows.base is None else part.rows.base
    left = part.at(slice(count, None))
    return left.at(np.arange(left.size)) if 2 * left.size < len(whole) else left
