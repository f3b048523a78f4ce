"""All pairs of each row, at hand by its key: the first one in the row's place, further ones in a chain behind it.

A record, in both places, is (position + 1, known_at, value's bits, number of the next one + 1); 0 stands for none.
A chain is written from its end, so that who reads it while another label comes sees the old one or the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.labels.as_of import AsOf
from shared.labels.pairs import Pairs
from shared.labels.record_table import RecordTable
from shared.labels.resident import Resident

Whole = npt.NDArray[np.int64]

_POSITION, _KNOWN, _VALUE, _NEXT = range(4)
_NO_POSITION = -1


class PairTable:
    """The pairs in the folders `rows` and `more` of an index."""

    def __init__(self, folder: Path, resident: Resident, *, writes: bool) -> None:
        self._rows = RecordTable(folder / "rows", 4, resident, writes=writes)
        self._more = RecordTable(folder / "more", 4, resident, writes=writes)
        self._next = 0  # number of the next record in `more`

    def add(self, pairs: Pairs) -> int:
        """Write pairs, of one row in the order of their positions; return how many rows had none. Raises OSError."""
        if not pairs.size:
            return 0
        order = _by_row(pairs)
        if order is not None:
            pairs = pairs.at(order)
        first = np.r_[True, pairs.rows[1:] != pairs.rows[:-1]]
        firsts = np.flatnonzero(first)
        empty = self._rows.take_word(_POSITION, pairs.rows[firsts]) == 0
        records = np.zeros((pairs.size, 4), np.int64)
        records[:, _POSITION] = pairs.positions + 1
        records[:, _KNOWN] = pairs.known_us
        records[:, _VALUE] = pairs.values.view(np.int64)
        in_slot = first.copy()
        in_slot[firsts] = empty
        if not in_slot.all():
            self._chain(pairs.rows, records, first, in_slot, np.flatnonzero(~empty))
        in_slot = np.flatnonzero(in_slot)
        self._rows.put(pairs.rows[in_slot], records[in_slot])
        return int(empty.sum())

    def _chain(
        self, rows: Whole, records: Whole, first: npt.NDArray[np.bool_], in_slot: npt.NDArray[np.bool_], full: Whole
    ) -> None:
        """Write what does not stand in its row's place: each points to the one before it, the row to the last.

        `full` says which rows, counted by `first`, had pairs before.
        """
        heads = np.zeros(int(first.sum()), np.int64)
        heads[full] = self._rows.take_word(_NEXT, rows[first][full])
        behind = np.flatnonzero(~in_slot)
        numbers = np.zeros(len(rows), np.int64)
        numbers[behind] = np.arange(self._next, self._next + len(behind))
        head_of = heads[np.cumsum(first) - 1]
        starts = first[behind] | in_slot[behind - 1]
        records[behind, _NEXT] = np.where(starts, head_of[behind], numbers[behind - 1] + 1)
        self._more.put(numbers[behind], records[behind])
        self._next += len(behind)
        last = np.r_[first[1:], True]
        ends = behind[last[behind]]
        group = np.cumsum(first) - 1
        slot_at = np.full(group[-1] + 1, -1)
        slot_at[group[in_slot]] = np.flatnonzero(in_slot)
        new = slot_at[group[ends]]
        here = new >= 0
        records[new[here], _NEXT] = numbers[ends[here]] + 1
        self._rows.put_word(_NEXT, rows[ends[~here]], numbers[ends[~here]] + 1)

    def several(self, rows: Whole) -> npt.NDArray[np.bool_]:
        """Which rows have more than one pair, (n,)."""
        return np.asarray(self._rows.take_word(_NEXT, rows) != 0)

    def each(self, rows: Whole) -> Iterator[tuple[Whole, Whole, Whole, npt.NDArray[np.float64]]]:
        """All pairs of rows, some at a time: (which of `rows`, position, known_at, value)."""
        which = np.arange(len(rows))
        records = self._rows.take(rows)
        while len(which):
            there = records[:, _POSITION] != 0
            if not there.all():
                which, records = which[there], records[there]
            yield which, records[:, _POSITION] - 1, records[:, _KNOWN], records[:, _VALUE].view(np.float64)
            go_on = np.flatnonzero(records[:, _NEXT])
            which, records = which[go_on], self._more.take(records[go_on, _NEXT] - 1)

    def newest(self, rows: Whole, as_of: AsOf) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """(is a label known, its value) of each row, both (n,): the one with the greatest (known_at, position)."""
        best = np.full(len(rows), _NO_POSITION)
        known_us, values = np.zeros(len(rows), np.int64), np.zeros(len(rows))
        for which, position, known, value in self.each(rows):
            wins = (best[which] == _NO_POSITION) | (known > known_us[which])
            wins |= (known == known_us[which]) & (position > best[which])
            if as_of.event_time_us is not None:
                wins &= known <= as_of.event_time_us
            if as_of.position is not None:
                wins &= position < as_of.position
            if wins.all():
                wins = slice(None)
            won = which[wins]
            best[won], known_us[won], values[won] = position[wins], known[wins], value[wins]
        return best != _NO_POSITION, values


def _by_row(pairs: Pairs) -> Whole | None:
    """The order by (row, position); None where they are in it."""
    rows, positions = pairs.rows, pairs.positions
    later = rows[1:] > rows[:-1]
    if bool((later | ((rows[1:] == rows[:-1]) & (positions[1:] > positions[:-1]))).all()):
        return None
    order = np.argsort(rows)
    in_order = rows[order]
    return np.lexsort((positions, rows)) if bool((in_order[1:] == in_order[:-1]).any()) else order
