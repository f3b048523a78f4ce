"""Records of some whole numbers each, by number, in files of 65,536 records; one never written reads as zeros.

One process writes, others may read at the same time: a file has its whole size from the start, and each number of a
record is the old or the new one.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.labels.resident import Resident

Whole = npt.NDArray[np.int64]

_BITS = 16
_RECORDS = 1 << _BITS
_WORD_BYTES = 8


class _Part(NamedTuple):
    """A file of records."""

    mapping: mmap.mmap
    records: Whole  # (65536, words)


class RecordTable:
    """Records of `words` int64 each in a folder. `own`: nobody else reads them, so they go with this process."""

    def __init__(self, folder: Path, words: int, resident: Resident, *, writes: bool, own: bool = False) -> None:
        self._folder, self._words, self._resident = folder, words, resident
        self._writes, self._own = writes, own
        self._parts: dict[int, _Part] = {}
        if writes:
            folder.mkdir(parents=True)

    def take(self, numbers: Whole) -> Whole:
        """Records by number, (n,) in any order → (n, words)."""
        found = np.zeros((len(numbers), self._words), np.int64)
        for number, index, within in self._by_part(numbers):
            part = self._part(number)
            if part is not None:
                self._touch(part, within)
                found[index] = part.records[within]
        return found

    def take_word(self, word: int, numbers: Whole) -> Whole:
        """One whole number of each of some records, (n,) → (n,)."""
        found = np.zeros(len(numbers), np.int64)
        for number, index, within in self._by_part(numbers):
            part = self._part(number)
            if part is not None:
                self._touch(part, within)
                found[index] = part.records[within, word]
        return found

    def put(self, numbers: Whole, records: Whole) -> None:
        """Write records, (n, words), by number, (n,), all different. Raises OSError where there is no room."""
        for number, index, within in self._by_part(numbers):
            part = self._part(number) or self._new(number)
            self._touch(part, within)
            part.records[within] = records[index]

    def put_word(self, word: int, numbers: Whole, values: Whole) -> None:
        """Write one whole number of each of some records that were written before."""
        for number, index, within in self._by_part(numbers):
            part = self._part(number)
            assert part is not None
            self._touch(part, within)
            part.records[within, word] = values[index]

    def _by_part(self, numbers: Whole) -> Iterator[tuple[int, Whole | slice, Whole]]:
        """(file, which of `numbers` lie in it, where they lie there)."""
        if not len(numbers):
            return
        parts = numbers >> _BITS
        order: Whole | None = None
        if len(parts) > 1 and bool((parts[1:] < parts[:-1]).any()):
            order = np.argsort(parts, kind="stable")
            parts, numbers = parts[order], numbers[order]
        starts = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(parts)]
        within = numbers & (_RECORDS - 1)
        for start, stop in zip(starts, starts[1:], strict=False):
            some = slice(start, stop)
            yield int(parts[start]), some if order is None else order[some], within[some]

    def _touch(self, part: _Part, within: Whole) -> None:
        span = int(within.max() - within.min() + 1) * self._words * _WORD_BYTES
        self._resident.touch(part.mapping, len(within), span)

    def _part(self, number: int) -> _Part | None:
        part = self._parts.get(number)
        if part is None and not self._own:
            mode = os.O_RDWR if self._writes else os.O_RDONLY
            try:
                file = os.open(self._folder / f"{number:06d}", mode)
            except FileNotFoundError:
                return None
            part = self._parts[number] = self._map(file)
        return part

    def _new(self, number: int) -> _Part:
        path = self._folder / f"{number:06d}"
        unfinished = path.with_suffix(".new")
        file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            _reserve(file, _RECORDS * self._words * _WORD_BYTES)
        except OSError:
            os.close(file)
            unfinished.unlink()
            raise
        part = self._parts[number] = self._map(file)
        if self._own:
            unfinished.unlink()
        else:
            unfinished.rename(path)
        return part

    def _map(self, file: int) -> _Part:
        access = mmap.ACCESS_WRITE if self._writes else mmap.ACCESS_READ
        mapping = mmap.mmap(file, _RECORDS * self._words * _WORD_BYTES, access=access)
        os.close(file)
        return _Part(mapping, np.frombuffer(mapping, np.int64).reshape(_RECORDS, self._words))


def _reserve(file: int, size: int) -> None:
    """Give a file its size and its room on the disk, so that a full one is an error now and no broken write later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)
