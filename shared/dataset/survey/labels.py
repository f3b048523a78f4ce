"""What a table of labels holds, and which rows have a label: from all labels, and the rows as they are read."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.clock_changes import ClockChanges
from shared.config.system import Labels
from shared.dataset.event_time import NEVER_US
from shared.dataset.known_file import known_schema
from shared.dataset.labels_table import label_rows
from shared.dataset.survey.key_codes import KeyCodes
from shared.dataset.survey.time_read import Time, time_read
from shared.dataset.survey.values import values_of
from shared.dataset.survey.waiting import Waiting
from shared.dataset.table import TableDataset
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp

_ROWS_AT_ONCE = 262_144

Whole = npt.NDArray[np.int64]


class LabelTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of labels; the rows of the dataset are either labelled, waiting, too late or unlabelled."""

    uri: str
    key: tuple[str, ...]
    rows: int
    files: int
    pieces: int  # more than files where a file has grown
    size_bytes: int
    first_known_at: str | None
    last_known_at: str | None
    time: Time  # known_at
    patience_s: float | None
    keys: int  # different ones
    repeated: int  # labels whose key another has before them
    corrected: int  # of these, that say something else than the one that was known before
    null_labels: int
    null_keys: int
    without_row: int  # labels whose row is not there
    labelled: int  # rows whose label is known by now, in event time
    waiting: int  # rows whose label is there, and known later
    too_late: int  # rows all of whose labels are known later than `patience` after them
    unlabelled: int  # rows that have none
    given_up: int  # of the last two, that are older than `patience`
    early: int  # rows whose label is known before the row's own time


class LabelSurvey:
    """What was found. Memory: some 120 bytes a label, and 8 for each row that waits for its own."""

    def __init__(self, table: TableDataset, labels: Labels) -> None:
        """Read all labels. Raises DataError."""
        self._table, self._labels = table, labels
        self._patience_us = None if labels.patience_s is None else round(labels.patience_s * MICROSECONDS_PER_S)
        pieces = list(label_rows(table, 0, table.rows, _ROWS_AT_ONCE))
        codes = KeyCodes([piece.keys for piece in pieces])
        known_us = np.concatenate([piece.known_us for piece in pieces]) if pieces else np.empty(0, np.int64)
        self._values = _in_one_type([values_of(piece.labels).rows for piece in pieces])
        self._ends_us = (int(known_us.min()), int(known_us.max())) if pieces else None
        self._keys, self._clocks = codes, ClockChanges()
        for piece in pieces:
            self._clocks = self._clocks.with_rows(piece.marks, piece.first_position, table.file_of)
        self._pairs = _Pairs(codes, known_us, np.asarray(pc.is_valid(self._values)))
        self._matched = np.zeros(codes.count, np.bool_)
        self._known, self._given_up = Waiting(), Waiting()
        self._too_late = self._unlabelled = self._early = 0
        self._now_us: int | None = None

    @property
    def table(self) -> TableDataset:
        """The table itself."""
        return self._table

    @property
    def is_text(self) -> bool:
        """Whether labels are texts."""
        return self._table.has_text_labels

    @property
    def types(self) -> tuple[str, ...]:
        """Those that the label has in its files, in the order of these."""
        return self._types_of(self._labels.label)

    def _types_of(self, name: str) -> tuple[str, ...]:
        schemas = (known_schema(entry, self._table.config) for entry in self._table.entries if entry.rows)
        return tuple(dict.fromkeys(str(one.field(name).type) for one in schemas if name in one.names))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which rows find their labels."""
        return self._labels.key

    def look_at(self, keys: pa.Table, times: Whole, event_time_us: Whole) -> pa.ChunkedArray:
        """The final labels of the next rows, (rows,), null where a row has none.

        Their keys, timestamps and event times, (rows,) each, in microseconds.
        """
        codes = self._keys.of(keys)
        self._matched[codes[codes >= 0]] = True
        believed = event_time_us != NEVER_US
        limits = None
        if self._patience_us is not None:
            limits = np.where(believed, event_time_us, 0) + self._patience_us
        first_us, last, has, pair = self._pairs.of(codes, limits)
        now_us = self._now_us = int(event_time_us[-1])
        self._known.add(first_us[pair], now_us)
        self._early += int((pair & (first_us < times)).sum())
        self._too_late += int((has & ~pair).sum())
        self._unlabelled += int((~has).sum())
        if limits is not None:
            self._given_up.add(limits[~pair] + 1, now_us)
        return pa.chunked_array([self._values.take(pa.array(last, mask=~pair))])

    def understood(self) -> LabelTable:
        """All of it, once all rows were looked at."""
        entries, now_us = self._table.entries, NEVER_US if self._now_us is None else self._now_us
        labels_of = np.bincount(self._keys.codes, minlength=self._keys.count)
        ends = [None, None] if self._ends_us is None else [format_timestamp(one) for one in self._ends_us]
        waiting = self._known.left(now_us)
        self._given_up.left(now_us)
        return LabelTable(
            uri=self._labels.uri,
            key=self._labels.key,
            rows=self._table.rows,
            files=len({entry.file for entry in entries}),
            pieces=len(entries),
            size_bytes=sum({entry.file: entry.size_bytes for entry in entries}.values()),
            first_known_at=ends[0],
            last_known_at=ends[1],
            time=time_read(self._table.config, self._types_of(self._labels.known_at), self._clocks),
            patience_s=self._labels.patience_s,
            keys=len(self._matched),
            repeated=len(self._keys.labels) - len(self._matched),
            corrected=self._pairs.corrections(self._values),
            null_labels=self._values.null_count,
            null_keys=self._table.rows - len(self._keys.labels),
            without_row=int(labels_of[~self._matched].sum()),
            labelled=self._known.passed,
            waiting=waiting,
            too_late=self._too_late,
            unlabelled=self._unlabelled,
            given_up=self._given_up.passed,
            early=self._early,
        )


class _Pairs:
    """Labels that can be of a row, by key, known_at and position."""

    def __init__(self, keys: KeyCodes, known_us: Whole, there: npt.NDArray[np.bool_]) -> None:
        labels, codes = keys.labels, keys.codes
        if not there.all():
            kept = there[labels]
            labels, codes = labels[kept], codes[kept]
        self._labels, self._known, self._of = labels, known_us[labels], codes
        counts = np.bincount(codes, minlength=keys.count)
        several = np.flatnonzero(counts[codes] > 1)  # the others are in order
        if len(several):
            order = several[np.lexsort((labels[several], self._known[several], codes[several]))]
            self._labels = labels.copy()
            self._labels[several], self._known[several] = labels[order], self._known[order]
        self._stops = np.cumsum(counts)
        self._starts = np.r_[0, self._stops[:-1]] if keys.count else self._stops
        self._ranked: tuple[Whole, Whole] | None = None  # different moments, and (key, rank of its moment) as a number

    def of(
        self, codes: Whole, limits: Whole | None
    ) -> tuple[Whole, Whole, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """For rows with these keys: from when the first label is known; which label is the last one up to the row's
        limit; whether there is a label; whether there is one up to the limit. All (rows,).
        """
        if not len(self._labels):
            none = np.zeros(len(codes), np.bool_)
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int64), none, none
        own = np.maximum(codes, 0)
        has = (codes >= 0) & (self._stops[own] > self._starts[own])
        first = np.where(has, self._starts[own], 0)
        last, pair = np.where(has, self._stops[own] - 1, 0), has
        if limits is not None:
            pair = has & (self._known[first] <= limits)
            last = np.where(pair, self._up_to(own, limits), 0)
        return self._known[first], self._labels[last], has, pair

    def _up_to(self, codes: Whole, limits: Whole) -> Whole:
        """The last place of each key whose moment is not after the limit; some other where there is none."""
        if self._ranked is None:
            moments, ranks = np.unique(self._known, return_inverse=True)
            self._ranked = moments, self._of * len(moments) + ranks
        moments, places = self._ranked
        ranks = np.searchsorted(moments, limits, side="right") - 1
        return np.maximum(np.searchsorted(places, codes * len(moments) + ranks, side="right") - 1, 0)

    def corrections(self, values: pa.Array) -> int:
        """Labels that differ from the one of the same key that was known before."""
        if len(self._labels) < 2:
            return 0
        told = values.take(pa.array(self._labels))
        differs = np.asarray(pc.not_equal(told.slice(1), told.slice(0, len(told) - 1)))
        return int((differs & (self._of[1:] == self._of[:-1])).sum())


def _in_one_type(parts: list[pa.Array]) -> pa.Array:
    types = {part.type for part in parts if not pa.types.is_null(part.type)}
    wanted = pa.float64() if pa.float64() in types else next(iter(types), pa.null())
    alike = [part if part.type == wanted else part.cast(wanted, safe=False) for part in parts]
    return pa.chunked_array(alike, wanted).combine_chunks()
