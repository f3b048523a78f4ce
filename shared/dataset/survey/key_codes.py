"""The keys of a table of labels as numbers, and those of rows as the same numbers, whatever their types are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.labels.key_hash import Keys, keys_of

Whole = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]


class KeyCodes:
    """Each different key has a number from 0 on."""

    def __init__(self, pieces: Sequence[pa.Table]) -> None:
        """`pieces`: the key columns of all labels, in order. Raises DataError for a type that keys cannot have."""
        starts = np.cumsum([0, *(piece.num_rows for piece in pieces)])
        keys = [keys_of(piece, int(start)) for piece, start in zip(pieces, starts, strict=False)]
        order, check, self.labels = _in_order(keys)  # labels: those without a null in their key, by key
        new = np.ones(len(order), np.bool_)
        new[1:] = (order[1:] != order[:-1]) | (check[1:] != check[:-1])
        self.codes = np.cumsum(new) - 1  # of these
        self._order, self._check = order[new], check[new]

    @property
    def count(self) -> int:
        """How many different ones there are."""
        return len(self._order)

    def of(self, keys: pa.Table) -> Whole:
        """The numbers of rows' keys, (rows,); -1 for one that no label has."""
        found, codes = keys_of(keys, 0), np.full(keys.num_rows, -1, np.int64)
        check = _check_of(found)
        places = np.searchsorted(self._order, found.order)
        open_rows = np.arange(found.rows)
        while len(open_rows):  # once, but for keys whose first words are those of another key
            at = places[open_rows]
            open_rows, at = open_rows[at < self.count], at[at < self.count]
            same = self._order[at] == found.order[open_rows]
            open_rows, at = open_rows[same], at[same]
            hit = self._check[at] == check[open_rows]
            codes[found.ids[open_rows[hit]]] = at[hit]
            open_rows = open_rows[~hit]
            places[open_rows] += 1
        return codes


def _check_of(keys: Keys) -> _Words:
    return np.zeros(keys.rows, np.uint64) if keys.check is None else keys.check


def _in_order(pieces: Sequence[Keys]) -> tuple[_Words, _Words, Whole]:
    """Both words of all keys, in order of the first, then of the second; and whose they are."""
    if not pieces:
        return np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64)
    order = np.concatenate([keys.order for keys in pieces])
    check = np.concatenate([_check_of(keys) for keys in pieces])
    ids = np.concatenate([keys.ids for keys in pieces])
    index = np.argsort(order, kind="stable")
    sorted_order, sorted_check = order[index], check[index]
    if ((sorted_order[1:] == sorted_order[:-1]) & (sorted_check[1:] < sorted_check[:-1])).any():
        index = np.lexsort((check, order))
        sorted_order, sorted_check = order[index], check[index]
    return sorted_order, sorted_check, ids[index]
