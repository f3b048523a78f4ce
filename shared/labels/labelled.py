"""The largest key of a row whose label is known, at each row of those observed last."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.labels.changes import Changes, first_ones

Whole = npt.NDArray[np.int64]


class Labelled:
    """Where the largest known key grew."""

    def __init__(self) -> None:
        self._at: list[Whole] = [np.empty(0, np.int64)]  # keys at which …
        self._rows: list[Whole] = [np.empty(0, np.int64)]  # … these became the largest known ones
        self._before: int | None = None  # the largest one before them

    def start(self) -> None:
        """Other rows are observed from now on."""
        if any(map(len, self._rows)):
            self._before = int(self._rows[-1][-1])
        self._at, self._rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]

    def note(self, changes: Changes) -> None:
        """The next changes, in order."""
        found = first_ones(changes)
        largest = self._rows[-1][-1] if len(self._rows[-1]) else (-1 if self._before is None else self._before)
        so_far = np.maximum.accumulate(np.r_[largest, found["row"]])
        grew = so_far[1:] > so_far[:-1]
        if grew.any():
            self._at.append(found["e"][grew])
            self._rows.append(so_far[1:][grew])

    def at(self, key: int) -> int | None:
        """The largest known key at one of the rows; None if no row is known."""
        for at, rows in zip(reversed(self._at), reversed(self._rows), strict=True):
            place = int(np.searchsorted(at, key, "right"))
            if place:
                return int(rows[place - 1])
        return self._before
