"""Reads an index of labels while another process goes on writing it: values as they were known, and what became known
when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import ArtifactLostError
from shared.labels.as_of import AsOf
from shared.labels.changes import CHANGE, ChangeFile, Changes, first_ones
from shared.labels.label_values import read_kind, read_texts
from shared.labels.pair_table import PairTable
from shared.labels.resident import Resident

Whole = npt.NDArray[np.int64]

_AT_ONCE = 1 << 18
_RESIDENT_BYTES = 1 << 26


class LabelIndex:
    """The index in a folder. Raises ArtifactLostError if the folder is not there."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise ArtifactLostError(
                f"the index of labels {folder} is not there. Its run's supervisor writes it: --resume the run."
            )
        self._pairs = PairTable.of(self._folder, Resident(_RESIDENT_BYTES))
        self._changes = ChangeFile(self._folder / "changes")

    def labels(self, keys: Whole, as_of: AsOf) -> pa.Array:
        """The label of each row, or null, (n,): of its label rows known by then that of the last (known_at, position).

        `keys` are of rows that the writer has observed. int64 where all labels of the table before the position are
        whole numbers (below 2**53) or booleans, else float64; string where they are texts.
        """
        keys = np.asarray(keys, np.int64)
        parts = [self._pairs.newest(keys[start : start + _AT_ONCE], as_of) for start in range(0, len(keys), _AT_ONCE)]
        there = np.concatenate([known for known, _ in parts]) if parts else np.empty(0, np.bool_)
        values = np.concatenate([some for _, some in parts]) if parts else np.empty(0)
        kind = read_kind(self._folder)
        if kind is not None and kind.texts:
            codes = pa.array(values.astype(np.int64), mask=~there)
            return pa.array(self.texts(), pa.string()).take(codes)
        fractions_from = None if kind is None else kind.fractions_from
        if fractions_from is not None and (as_of.position is None or fractions_from < as_of.position):
            return pa.array(values, mask=~there)
        return pa.array(values.astype(np.int64), mask=~there)

    def newly_known(self, after_key: int | None, key: int) -> Whole:
        """Keys of the rows known at a trigger at `key` and not at one at `after_key`, ascending, (n,); None: all."""
        return np.sort(np.concatenate([np.empty(0, np.int64), *self.each_newly_known(after_key, key)]))

    def each_newly_known(self, after_key: int | None, key: int) -> Iterator[Whole]:
        """The same, some at a time, in no order."""
        for some in self._first_known(after_key, key):
            yield some["row"].copy()

    def in_order_known(self, after_key: int | None, key: int) -> Whole:
        """The same in the order in which they became known, then by key.

        A row became known at the latest of its event time, `known_at`, and event time when its label was found.
        """
        parts = [(some["row"].copy(), some["moment_us"].copy()) for some in self._first_known(after_key, key)]
        rows = np.concatenate([np.empty(0, np.int64), *(some for some, _ in parts)])
        moments_us = np.concatenate([np.empty(0, np.int64), *(some for _, some in parts)])
        return rows[np.lexsort((rows, moments_us))]

    def changes(self, first_e: int, stop_e: int) -> Changes:
        """Changes with first_e <= e < stop_e, by e, then by row: `e, row, value, before, moment_us`.

        From a trigger at key e on, the row's value is `value`; before, it was `before`, NaN if it was not known. Of
        texts these are numbers of `texts()`. Several label rows that count from the same e make one change; none is
        made where the value stays.
        """
        parts = list(self._changes.between(first_e, stop_e))
        return np.concatenate(parts) if parts else np.empty(0, CHANGE)

    def texts(self) -> list[str]:
        """The labels 0, 1, 2… where they are texts."""
        return read_texts(self._folder)

    def _first_known(self, after_key: int | None, key: int) -> Iterator[Changes]:
        """The changes by which rows became known, some at a time."""
        first_e = 0 if after_key is None else after_key + 1
        return map(first_ones, self._changes.between(first_e, key + 1))
