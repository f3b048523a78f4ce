"""Writes all pairs of each row where `PairTable` finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.labels.pair_table import KNOWN, MORE, NEXT, POSITION, ROWS, VALUE, WORDS, PairTable
from shared.labels.pairs import Pairs
from shared.labels.record_table import RecordWriter
from shared.labels.resident import Resident

Whole = npt.NDArray[np.int64]


class PairWriter(PairTable):
    """The files `rows` and `more` of an index in a folder."""

    def __init__(self, folder: Path, resident: Resident) -> None:
        self._slots = RecordWriter(folder / ROWS, WORDS, resident)
        self._behind = RecordWriter(folder / MORE, WORDS, resident)
        super().__init__(self._slots, self._behind)
        self._next = 0  # number of the next record in `more`

    def begin(self, first_key: int) -> None:
        """Make room for rows from a key on. Raises OSError."""
        self._slots.begin(first_key)

    def flush(self) -> None:
        """Have other machines see what was written. Raises OSError."""
        self._slots.flush()
        self._behind.flush()

    def add(self, pairs: Pairs) -> int:
        """Write pairs, of one row in the order of their positions; return how many rows had none. Raises OSError."""
        if not pairs.size:
            return 0
        order = _by_row(pairs)
        if order is not None:
            pairs = pairs.at(order)
        first = np.r_[True, pairs.rows[1:] != pairs.rows[:-1]]
        firsts = np.flatnonzero(first)
        empty = self._slots.take_word(POSITION, pairs.rows[firsts]) == 0
        records = np.zeros((pairs.size, WORDS), np.int64)
        records[:, POSITION] = pairs.positions + 1
        records[:, KNOWN] = pairs.known_us
        records[:, VALUE] = pairs.values.view(np.int64)
        in_slot = first.copy()
        in_slot[firsts] = empty
        if not in_slot.all():
            self._chain(pairs.rows, records, first, in_slot, np.flatnonzero(~empty))
        in_slot = np.flatnonzero(in_slot)
        self._slots.put(pairs.rows[in_slot], records[in_slot])
        return int(empty.sum())

    def _chain(
        self, rows: Whole, records: Whole, first: npt.NDArray[np.bool_], in_slot: npt.NDArray[np.bool_], full: Whole
    ) -> None:
        """Write what does not stand in its row's place: each points to the one before it, the row to the last.

        `full` says which rows, counted by `first`, had pairs before.
        """
        heads = np.zeros(int(first.sum()), np.int64)
        heads[full] = self._slots.take_word(NEXT, rows[first][full])
        behind = np.flatnonzero(~in_slot)
        numbers = np.zeros(len(rows), np.int64)
        numbers[behind] = np.arange(self._next, self._next + len(behind))
        head_of = heads[np.cumsum(first) - 1]
        starts = first[behind] | in_slot[behind - 1]
        records[behind, NEXT] = np.where(starts, head_of[behind], numbers[behind - 1] + 1)
        if not self._next:
            self._behind.begin(0)
        self._behind.put(numbers[behind], records[behind])
        self._next += len(behind)
        last = np.r_[first[1:], True]
        ends = behind[last[behind]]
        group = np.cumsum(first) - 1
        slot_at = np.full(group[-1] + 1, -1)
        slot_at[group[in_slot]] = np.flatnonzero(in_slot)
        new = slot_at[group[ends]]
        here = new >= 0
        records[new[here], NEXT] = numbers[ends[here]] + 1
        self._slots.put_word(NEXT, rows[ends[~here]], numbers[ends[~here]] + 1)

    def several(self, rows: Whole) -> npt.NDArray[np.bool_]:
        """Which rows have more than one pair, (n,)."""
        return np.asarray(self._slots.take_word(NEXT, rows) != 0)


def _by_row(pairs: Pairs) -> Whole | None:
    """The order by (row, position); None where they are in it."""
    rows, positions = pairs.rows, pairs.positions
    later = rows[1:] > rows[:-1]
    if bool((later | ((rows[1:] == rows[:-1]) & (positions[1:] > positions[:-1]))).all()):
        return None
    order = np.argsort(rows)
    in_order = rows[order]
    return np.lexsort((positions, rows)) if bool((in_order[1:] == in_order[:-1]).any()) else order
