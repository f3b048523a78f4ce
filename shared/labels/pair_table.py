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
from shared.labels.record_table import RecordTable
from shared.labels.resident import Resident

Whole = npt.NDArray[np.int64]

ROWS, MORE = "rows", "more"
WORDS = 4
POSITION, KNOWN, VALUE, NEXT = range(WORDS)
_NO_POSITION = -1


class PairTable:
    """The pairs in the files `rows` and `more` of an index, to be read."""

    def __init__(self, rows: RecordTable, more: RecordTable) -> None:
        self._rows, self._more = rows, more

    @classmethod
    def of(cls, folder: Path, resident: Resident) -> PairTable:
        """That of the index in a folder."""
        return cls(RecordTable(folder / ROWS, WORDS, resident), RecordTable(folder / MORE, WORDS, resident))

    def each(self, rows: Whole) -> Iterator[tuple[Whole, Whole, Whole, npt.NDArray[np.float64]]]:
        """All pairs of rows, some at a time: (which of `rows`, position, known_at, value)."""
        which = np.arange(len(rows))
        records = self._rows.take(rows)
        while len(which):
            there = records[:, POSITION] != 0
            if not there.all():
                which, records = which[there], records[there]
            yield which, records[:, POSITION] - 1, records[:, KNOWN], records[:, VALUE].view(np.float64)
            go_on = np.flatnonzero(records[:, NEXT])
            which, records = which[go_on], self._more.take(records[go_on, NEXT] - 1)

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
