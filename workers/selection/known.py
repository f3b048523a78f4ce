"""Which rows a trigger knows the labels of, and which of them earlier triggers did not, or had to leave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.errors import DataError
from shared.labels.index import LabelIndex
from shared.messages.tasks import KeyRange, Watermarks
from shared.strategies.strategy import Keys
from workers.key_ranges import among
from workers.selection.key_bits import KeyBits

Rows = Iterator[tuple[Keys, pa.Table | None]]  # keys, and columns of these rows; None where none are asked for


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the stream at a trigger."""

    first_key: int  # the first row that may be selected at all
    previous: tuple[Watermarks, ...]  # of earlier triggers, oldest first
    trigger_id: int
    trigger_key: int
    labelled_key: int | None  # the last row whose label is known; None: there is none
    left_out: tuple[KeyRange, ...] = ()  # rows that are set aside, and are not to be chosen
    observed: Watermarks | None = None  # of the last trigger whose rows the strategy has observed; None: it has none
    turn: int = 0  # so many triggers before selected something

    @property
    def new_key(self) -> int:
        """The first row that no earlier trigger saw."""
        return max((one.key + 1 for one in self.previous), default=self.first_key)

    def before(self, triggers: int | None) -> Watermarks | None:
        """The trigger that came so many before; None: there was none, or none is asked for."""
        return None if triggers is None or triggers > len(self.previous) else self.previous[-triggers]


class KnownRows(Protocol):
    """The rows whose labels are known at a trigger."""

    def since(self, before: Watermarks | None, columns: tuple[str, ...]) -> Rows:
        """Those that were not known at that trigger (None: all), ascending. Raises DataError if one is missing.

        Without columns nothing is read: their files are there, and as they were.
        """

    def in_order(self, columns: tuple[str, ...]) -> Rows:
        """Those that the strategy has not observed, in the order in which they became known. Raises DataError."""

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of these keys are known rows."""

    def are_new(self, keys: Keys, before: Watermarks | None) -> npt.NDArray[np.bool_]:
        """Which of known rows were not known at that trigger; None: all."""

    def read_on(self) -> int:
        """Read what has not been read of the rows since the previous trigger. Raises DataError.

        Returns how many of these nobody has asked for.
        """


class UpToAKey:
    """Where labels are known in the order of their rows: a stretch of keys."""

    def __init__(self, dataset: TableDataset, known: Known) -> None:
        self._dataset, self._known = dataset, known
        self._stop_key = known.first_key if known.labelled_key is None else known.labelled_key + 1
        self._asked_to = self._read_to = known.new_key  # of the rows since the previous trigger

    def since(self, before: Watermarks | None, columns: tuple[str, ...]) -> Rows:
        """Behind the labelled key of that trigger."""
        first_key = self._first_key(before)
        for start, stop in (*self._released(before, first_key), (first_key, self._stop_key)):
            for keys, rows in _all_rows(self._dataset, columns, start, stop):
                yield keys, rows
                self._asked_to = max(self._asked_to, int(keys[-1]) + 1)
                if columns:
                    self._read_to = max(self._read_to, int(keys[-1]) + 1)

    def _released(self, before: Watermarks | None, stop_key: int) -> Iterator[tuple[int, int]]:
        """[first key, stop key) of rows before `stop_key` that were left out then, and no longer are."""
        for first_key, last_key in () if before is None else before.released:
            start, stop = max(first_key, self._known.first_key), min(last_key + 1, stop_key, self._stop_key)
            if start < stop:
                yield start, stop

    def _first_key(self, before: Watermarks | None) -> int:
        first_key = self._known.first_key
        if before is None or before.labelled_key is None:
            return first_key
        return max(first_key, before.labelled_key + 1)

    def in_order(self, columns: tuple[str, ...]) -> Rows:
        """That of the keys."""
        return self.since(self._known.observed, columns)

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """All from the first row on, up to the labelled key."""
        return (keys >= self._known.first_key) & (keys < self._stop_key)

    def are_new(self, keys: Keys, before: Watermarks | None) -> npt.NDArray[np.bool_]:
        """Those behind its labelled key, and those that it had to leave out."""
        behind = keys >= self._first_key(before)
        return behind if before is None else behind | among(keys, before.released)

    def read_on(self) -> int:
        """To the trigger's last row."""
        stop_key = self._known.trigger_key + 1
        for _ in _all_times(self._dataset, self._read_to, stop_key):
            pass
        return stop_key - self._asked_to


class InATable:
    """Where labels stand in a table of their own: any rows. Memory: a bit a row, and what `in_order` has to sort."""

    def __init__(self, dataset: TableDataset, known: Known, index: LabelIndex) -> None:
        self._dataset, self._known, self._index = dataset, known, index
        self._newly: dict[Watermarks | None, KeyBits] = {}  # an earlier trigger → rows that were not known then
        self._asked: set[Watermarks | None] = set()  # the earlier triggers since which all were taken

    def since(self, before: Watermarks | None, columns: tuple[str, ...]) -> Rows:
        """Those that the index has not for that trigger."""
        for keys in self._newly_known(before).pieces(ROWS_AT_ONCE):
            yield from self._taken(keys, columns)
        self._asked.add(before)

    def _taken(self, keys: Keys, columns: tuple[str, ...]) -> Rows:
        """Those of ascending keys."""
        if not columns:
            for _ in _all_rows(self._dataset, (), int(keys[0]), int(keys[-1]) + 1):
                pass
            yield keys, None
            return
        start = 0
        for rows in self._dataset.take_batches(columns, keys):
            yield keys[start : start + rows.num_rows], rows
            start += rows.num_rows

    def _newly_known(self, before: Watermarks | None) -> KeyBits:
        """All followed rows that the index has for this trigger and not for an earlier one."""
        if before not in self._newly:
            newly = KeyBits(self._known.first_key, self._known.trigger_key + 1)
            for keys in self._index.each_newly_known(None if before is None else before.key, self._known.trigger_key):
                newly.add(keys)
            if before is not None and before.released:
                newly.add(self._released(before))
            self._newly[before] = newly
        return self._newly[before]

    def in_order(self, columns: tuple[str, ...]) -> Rows:
        """As the index has it; first those that were known before, and had to be left out."""
        before = self._known.observed
        keys = self._index.in_order_known(None if before is None else before.key, self._known.trigger_key)
        if before is not None and before.released:
            keys = np.concatenate([np.setdiff1d(self._released(before), keys), keys])
        yield from self._rows(keys[keys >= self._known.first_key], columns)
        self._asked.add(before)

    def _released(self, before: Watermarks) -> Keys:
        """The known rows that were left out then, and no longer are."""
        known = self._newly_known(None)
        return np.concatenate([known.between(first_key, last_key + 1) for first_key, last_key in before.released])

    def _rows(self, keys: Keys, columns: tuple[str, ...]) -> Rows:
        """Those of keys in any order."""
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[start : start + ROWS_AT_ONCE]
            order = np.argsort(some, kind="stable")
            tables = [rows for _, rows in self._taken(some[order], columns) if rows is not None]
            places = np.empty_like(order)
            places[order] = np.arange(len(order))
            yield from _at_places(some, tables, places) if columns else [(some, None)]

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Those that the index has."""
        return self._newly_known(None).among(keys)

    def are_new(self, keys: Keys, before: Watermarks | None) -> npt.NDArray[np.bool_]:
        """Those that the index has not for it."""
        return self._newly_known(before).among(keys)

    def read_on(self) -> int:
        """All of them, as those that are known lie anywhere."""
        unasked = 0
        for keys, _ in _all_times(self._dataset, self._known.new_key, self._known.trigger_key + 1):
            asked = np.zeros(len(keys), np.bool_)
            for before in self._asked:
                asked |= self._newly_known(before).among(keys)
            unasked += len(keys) - int(asked.sum())
        return unasked


def _at_places(keys: Keys, tables: Sequence[pa.Table], places: npt.NDArray[np.int64]) -> Rows:
    """Rows of tables that follow each other, by their places there; a piece has those of files that write alike."""
    kinds: list[pa.Schema] = []
    for table in tables:
        if table.schema not in kinds:
            kinds.append(table.schema)
    of_table = [kinds.index(table.schema) for table in tables]
    kind_at = np.repeat(of_table, [table.num_rows for table in tables])
    alike = [
        pa.concat_tables(t for t, of in zip(tables, of_table, strict=True) if of == kind) for kind in range(len(kinds))
    ]
    place_alike = np.empty_like(places)
    for kind in range(len(kinds)):
        place_alike[kind_at == kind] = np.arange((kind_at == kind).sum())
    kind_of = kind_at[places]
    borders = [0, *(np.flatnonzero(np.diff(kind_of)) + 1).tolist(), len(keys)]
    for start, stop in pairwise(borders):
        yield keys[start:stop], alike[kind_of[start]].take(pa.array(place_alike[places[start:stop]]))


def _all_rows(dataset: TableDataset, columns: Sequence[str], first_key: int, stop_key: int) -> Rows:
    """Those from one key to another, which are read if columns are asked for. Raises DataError if one is missing."""
    there = 0
    for keys, rows in _read(dataset, columns, first_key, stop_key):
        there += len(keys)
        yield keys, rows
    if there < stop_key - first_key:
        raise DataError(
            f"dataset {dataset.config.name}: {stop_key - first_key} rows up to key {stop_key - 1} were announced, "
            f"{there} could be read. Bring the files back, then --resume."
        )


def _read(dataset: TableDataset, columns: Sequence[str], first_key: int, stop_key: int) -> Rows:
    if first_key >= stop_key:  # of a file that both lie in, no rows would be read
        return
    if not columns:
        for keys in dataset.announced(first_key, stop_key):
            yield keys, None
        return
    for key, rows in dataset.batches(columns, first_key, stop_key):
        yield np.arange(key, key + rows.num_rows, dtype=np.int64), rows


def _all_times(dataset: TableDataset, first_key: int, stop_key: int) -> Rows:
    return _all_rows(dataset, [dataset.config.timestamp], first_key, stop_key)


def rows_of(dataset: TableDataset, known: Known, index: LabelIndex | None) -> KnownRows:
    """The known rows; `index`: of labels that stand in a table of their own."""
    return UpToAKey(dataset, known) if index is None else InATable(dataset, known, index)
