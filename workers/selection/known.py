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

Rows = Iterator[tuple[Keys, pa.Table]]  # keys, and columns of these rows


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

    def since(self, triggers: int | None, columns: tuple[str, ...]) -> Rows:
        """Those that were not known so many triggers before (None: all), ascending. Raises DataError."""

    def in_order(self, columns: tuple[str, ...]) -> Rows:
        """Those that the strategy has not observed, in the order in which they became known. Raises DataError."""

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of ascending keys are known rows."""

    def are_new(self, keys: Keys, triggers: int = 1) -> npt.NDArray[np.bool_]:
        """Which of known rows were not known so many triggers before."""

    def read_on(self) -> int:
        """Read what has not been read of the rows since the previous trigger, and count that. Raises DataError."""


class UpToAKey:
    """Where labels are known in the order of their rows: a stretch of keys."""

    def __init__(self, dataset: TableDataset, known: Known) -> None:
        self._dataset, self._known = dataset, known
        self._stop_key = known.first_key if known.labelled_key is None else known.labelled_key + 1
        self._read_to = known.new_key  # of the rows since the previous trigger

    def since(self, triggers: int | None, columns: tuple[str, ...]) -> Rows:
        """Behind the labelled key of that trigger."""
        return self._since(self._known.before(triggers), columns)

    def _since(self, before: Watermarks | None, columns: tuple[str, ...]) -> Rows:
        first_key = self._first_key(before)
        for start, stop in (*self._released(before, first_key), (first_key, self._stop_key)):
            for keys, rows in _all_rows(self._dataset, columns, start, stop):
                yield keys, rows
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
        return self._since(self._known.observed, columns)

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """All from the first row on, up to the labelled key."""
        return (keys >= self._known.first_key) & (keys < self._stop_key)

    def are_new(self, keys: Keys, triggers: int = 1) -> npt.NDArray[np.bool_]:
        """Those behind its labelled key, and those that it had to leave out."""
        before = self._known.before(triggers)
        behind = keys >= self._first_key(before)
        return behind if before is None else behind | among(keys, before.released)

    def read_on(self) -> int:
        """From the last known row on."""
        return _read_times(self._dataset, self._read_to, self._known.trigger_key + 1)


class InATable:
    """Where labels stand in a table of their own: any rows."""

    def __init__(self, dataset: TableDataset, known: Known, index: LabelIndex) -> None:
        self._dataset, self._known, self._index = dataset, known, index
        self._known_new = np.empty(0, np.int64)  # of the rows since the previous trigger
        self._newly: dict[Watermarks | None, Keys] = {}  # an earlier trigger → rows that were not known then

    def since(self, triggers: int | None, columns: tuple[str, ...]) -> Rows:
        """Those that the index has not for that trigger."""
        keys = self._newly_known(self._known.before(triggers))
        return self._rows(keys[np.searchsorted(keys, self._known.first_key) :], columns)

    def _newly_known(self, before: Watermarks | None) -> Keys:
        """All rows, ascending, that the index has for this trigger and not for an earlier one."""
        if before not in self._newly:
            after_key = None if before is None else before.key
            newly = self._index.newly_known(after_key, self._known.trigger_key)
            if before is not None and before.released:
                known = self._index.newly_known(None, self._known.trigger_key)
                newly = np.union1d(newly, known[among(known, before.released)])
            self._newly[before] = newly
        return self._newly[before]

    def in_order(self, columns: tuple[str, ...]) -> Rows:
        """As the index has it; first those that were known before, and had to be left out."""
        before = self._known.observed
        keys = self._index.in_order_known(None if before is None else before.key, self._known.trigger_key)
        if before is not None and before.released:
            keys = np.concatenate([np.setdiff1d(self._newly_known(before), keys), keys])
        return self._rows(keys[keys >= self._known.first_key], columns)

    def _rows(self, keys: Keys, columns: tuple[str, ...]) -> Rows:
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[start : start + ROWS_AT_ONCE]
            order = np.argsort(some, kind="stable")
            tables = list(self._dataset.take_batches(columns, some[order]))
            places = np.empty_like(order)
            places[order] = np.arange(len(order))
            yield from _at_places(some, tables, places)
        self._known_new = np.union1d(self._known_new, keys[keys >= self._known.new_key])

    def are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Those that the index has."""
        return (keys >= self._known.first_key) & np.isin(keys, self._newly_known(None))

    def are_new(self, keys: Keys, triggers: int = 1) -> npt.NDArray[np.bool_]:
        """Those that the index has not for it."""
        return np.isin(keys, self._newly_known(self._known.before(triggers)), assume_unique=True)

    def read_on(self) -> int:
        """All of them, as those that are known lie anywhere."""
        rows = _read_times(self._dataset, self._known.new_key, self._known.trigger_key + 1)
        return rows - len(self._known_new)


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
    """Those from one key to another. Raises DataError if one is missing."""
    read = 0
    for key, rows in dataset.batches(columns, first_key, stop_key):
        read += rows.num_rows
        yield np.arange(key, key + rows.num_rows, dtype=np.int64), rows
    if read < stop_key - first_key:
        raise DataError(
            f"dataset {dataset.config.name}: {stop_key - first_key} rows up to key {stop_key - 1} were announced, "
            f"{read} could be read. Bring the files back, then --resume."
        )


def _read_times(dataset: TableDataset, first_key: int, stop_key: int) -> int:
    return sum(len(keys) for keys, _ in _all_rows(dataset, [dataset.config.timestamp], first_key, stop_key))


def rows_of(dataset: TableDataset, known: Known, index: LabelIndex | None) -> KnownRows:
    """The known rows; `index`: of labels that stand in a table of their own."""
    return UpToAKey(dataset, known) if index is None else InATable(dataset, known, index)
