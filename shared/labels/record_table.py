"""Records of some whole numbers each, by number, in one file that grows; one never written reads as zeros.

One process writes, others may read at the same time: each number of a record is the old or the new one.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.labels.resident import AROUND_BYTES, Resident

Whole = npt.NDArray[np.int64]

_WORD_BYTES = 8
_LEAST = 1 << 14  # records by which a file grows at least …
_PART = 16  # … or by this part of what it has


class RecordTable:
    """Records of `words` int64 each, to be read. One before them says which number the first of them has."""

    def __init__(self, path: Path, words: int, resident: Resident) -> None:
        self._path, self._words, self._resident = path, words, resident
        self._mapping: mmap.mmap | None = None
        self._records: Whole = np.empty((0, words), np.int64)
        self._first = 0

    def take(self, numbers: Whole) -> Whole:
        """Records by number, (n,) in any order → (n, words)."""
        found = np.zeros((len(numbers), self._words), np.int64)
        for index, places in self._some(numbers):
            found[index] = self._records[places]
        return found

    def take_word(self, word: int, numbers: Whole) -> Whole:
        """One whole number of each of some records, (n,) → (n,)."""
        found = np.zeros(len(numbers), np.int64)
        for index, places in self._some(numbers):
            found[index] = self._records[places, word]
        return found

    def _some(self, numbers: Whole) -> Iterator[tuple[Whole | slice, Whole]]:
        """(which of `numbers`, their places), as many at a time as may stay in memory; without those that have none."""
        if not len(numbers):
            return
        low, high = int(numbers.min()), int(numbers.max())
        self._reach(high)
        places = numbers - (self._first - 1)
        most_bytes = self._resident.most_bytes // 4
        bytes_between = (high - low + 1) * self._words * _WORD_BYTES
        few = min(len(numbers) * AROUND_BYTES, bytes_between) <= most_bytes
        if few and low >= self._first and high < self._stop:
            yield slice(None), self._touched(places)
            return
        order = np.argsort(places, kind="stable")
        order = order[slice(*np.searchsorted(places, (1, len(self._records)), sorter=order))]
        step = max(most_bytes // AROUND_BYTES, 1)
        for start in range(0, len(order), step):
            index = order[start : start + step]
            yield index, self._touched(places[index])

    @property
    def _stop(self) -> int:
        """The number after the last one that has a place."""
        return self._first + len(self._records) - 1

    def _touched(self, places: Whole) -> Whole:
        assert self._mapping is not None
        between = int(places.max() - places.min() + 1)
        self._resident.touch(self._mapping, len(places), between * self._words * _WORD_BYTES)
        return places

    def _reach(self, number: int) -> None:
        """Map what another process has written meanwhile, if that is needed for a number."""
        if number < self._stop:
            return
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > self._records.nbytes:
                    self._map(file.fileno(), mmap.ACCESS_READ)
        except FileNotFoundError:  # nothing was written
            return

    def _map(self, file: int, access: int) -> None:
        record_bytes = self._words * _WORD_BYTES
        records = os.fstat(file).st_size // record_bytes
        self._mapping = mmap.mmap(file, records * record_bytes, access=access)
        self._records = np.frombuffer(self._mapping, np.int64).reshape(records, self._words)
        self._first = int(self._records[0, 0])


class RecordWriter(RecordTable):
    """The same, to be written. `own`: nobody else reads them, so they go with this process."""

    def __init__(self, path: Path, words: int, resident: Resident, *, own: bool = False) -> None:
        super().__init__(path, words, resident)
        self._own = own
        self._file = -1

    def begin(self, first: int) -> None:
        """Make the file, for records first, first + 1, … Raises OSError where there is no room."""
        unfinished = self._path.with_name(f"{self._path.name}.new")
        self._file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        weakref.finalize(self, os.close, self._file)
        self._grow(_LEAST)
        self._records[0, 0] = self._first = first
        if self._own:
            unfinished.unlink()
        else:
            unfinished.rename(self._path)

    def flush(self) -> None:
        """Have other machines see what was written. Raises OSError."""
        if self._mapping is not None:
            self._mapping.flush()

    def put(self, numbers: Whole, records: Whole) -> None:
        """Write records, (n, words), by number, (n,), all different. Raises OSError where there is no room."""
        for index, places in self._some(numbers):
            self._records[places] = records[index]

    def put_word(self, word: int, numbers: Whole, values: Whole) -> None:
        """Write one whole number of each of some records."""
        for index, places in self._some(numbers):
            self._records[places, word] = values[index]

    def _reach(self, number: int) -> None:
        if number >= self._stop and self._file >= 0:
            self._grow(number - self._first + 2)

    def _grow(self, records: int) -> None:
        records = max(records, len(self._records) + max(_LEAST, len(self._records) // _PART))
        _reserve(self._file, records * self._words * _WORD_BYTES)
        self._map(self._file, mmap.ACCESS_WRITE)


def _reserve(file: int, size: int) -> None:
    """Give a file its size and its room on the disk, so that a full one is an error now and no broken write later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)
