"""A set of keys in a bit each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.strategies.strategy import Keys


class KeyBits:
    """Keys within a range. Memory: an eighth of a byte for each key of the parts of the range in which some lie."""

    def __init__(self, first_key: int, stop_key: int) -> None:
        self._first_key, self._length = first_key, max(stop_key - first_key, 0)
        self._bits = np.zeros(-(-self._length // 8), np.uint8)
        self._start_key = self._stop_key = first_key  # of all that are there

    def add(self, keys: Keys) -> None:
        """Keys in any order; those beyond the range are left out."""
        at = np.sort(keys) - self._first_key
        at = at[(at >= 0) & (at < self._length)]
        if not len(at):
            return
        is_first = self._start_key == self._stop_key
        start_key, stop_key = self._first_key + int(at[0]), self._first_key + int(at[-1]) + 1
        self._start_key = start_key if is_first else min(self._start_key, start_key)
        self._stop_key = max(self._stop_key, stop_key)
        places = at >> 3
        starts = np.flatnonzero(np.diff(places, prepend=-1))  # of the keys that share a byte
        self._bits[places[starts]] |= np.bitwise_or.reduceat((128 >> (at & 7)).astype(np.uint8), starts)

    def among(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of these keys, in any order, are there; (n,) → (n,)."""
        at = keys - self._first_key
        there = (at >= 0) & (at < self._length)
        at = at[there]
        there[there] = self._bits[at >> 3] >> (7 - (at & 7)) & 1
        return there

    def pieces(self, rows: int) -> Iterator[Keys]:
        """All of them, ascending, so many at a time."""
        waiting, there = [np.empty(0, np.int64)], 0
        for key in range(self._start_key, self._stop_key, rows):
            waiting.append(self.between(key, key + rows))
            there += len(waiting[-1])
            if there >= rows:
                found = np.concatenate(waiting)
                yield found[:rows]
                waiting, there = [found[rows:]], there - rows
        if there:
            yield np.concatenate(waiting)

    def between(self, start_key: int, stop_key: int) -> Keys:
        """Those from one key to another, ascending."""
        start = max(start_key - self._first_key, 0)
        stop = max(min(stop_key - self._first_key, self._length), start)
        bits = np.unpackbits(self._bits[start >> 3 : -(-stop // 8)])[start & 7 :][: stop - start]
        return np.flatnonzero(bits) + (start + self._first_key)
