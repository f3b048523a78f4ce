"""Reading a `table` dataset by column and range of keys, streaming, so that memory stays flat as it grows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.alike import alike
from shared.dataset.column_kinds import kind_of, plain_type
from shared.dataset.evenly import Read, evenly
from shared.dataset.event_time import Horizon
from shared.dataset.files import UNREADABLE, format_in, open_part, told
from shared.dataset.known_file import a_column_of, given_by_folders, known_schema, refuse_mixture, verify
from shared.dataset.label_column import label_numbers
from shared.dataset.manifest import IF_MENDED, MEND_THE_ROW, ManifestEntry
from shared.dataset.nulls import refuse_nulls
from shared.dataset.partitions import folder_value, in_folder_names, type_of_folders
from shared.dataset.stretches import stretches
from shared.dataset.timestamp_column import Times, times
from shared.errors import DataError

ROWS_AT_ONCE = 65_536


class TableDataset:
    """The rows of the files in a manifest, numbered by key."""

    def __init__(self, config: Dataset, entries: Sequence[ManifestEntry]) -> None:
        self.config = config
        self.entries = tuple(entries)
        self.rows = self.entries[-1].stop_key if self.entries else 0
        self._horizon = Horizon(self.entries, config.future_skew_s)
        first = next((entry for entry in self.entries if entry.rows), None)  # one without rows decides nothing
        self.schema = self._schema(first) if first else pa.schema([])

    def _schema(self, first: ManifestEntry) -> pa.Schema:
        """That of the first file; of what folders say, the type that fits all files that were found with it."""
        schema, names = known_schema(first, self.config), list(given_by_folders(first, self.config))
        if not names:
            return schema
        beside = [one for one in self.entries if one.rows and one.discovered_us == first.discovered_us]
        said = [in_folder_names(one.file, self.config.uri) for one in beside or [first]]
        for name in names:
            texts = [one[name] for one in said if name in one]
            schema = schema.set(schema.get_field_index(name), pa.field(name, type_of_folders(texts)))
        return schema

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns a model sees, in the order of the configuration or the first file."""
        if self.config.image is not None:
            return (self.config.image.column,)
        if self.config.text is not None:
            return (self.config.text,)
        if self.config.features is not None:
            return self.config.features
        return tuple(name for name in self.schema.names if name not in self.config.hidden_columns)

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[tuple[int, pa.Table]]:
        """(first key, rows) pieces of at most `batch_rows` rows that cover [first_key, stop_key). Raises DataError.

        A column of numbers or times has the type of its file in each piece; one of texts is never a dictionary.
        Nulls that `nulls:` refuses are told by file, key and column. A label that comes later is in no file of rows,
        and a column that is called like it is not read.
        """
        if self.config.labels is not None and self.config.label in columns:
            raise DataError(
                f"dataset {self.config.name}: the label {self.config.label} is in the table of labels, "
                f"{self.config.labels.uri}, not in the rows."
            )
        return evenly(self._readings(columns, first_key, stop_key, batch_rows), batch_rows)

    def _readings(self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int) -> Iterator[Read]:
        """What the files' formats give."""
        for entries in stretches(self.entries, first_key, stop_key, self.config):
            file, text = entries[0].file, hasattr(format_in(self.config, entries[0].file), "grows")
            for key, piece in self._pieces(entries, columns, (first_key, stop_key), batch_rows):
                start, stop = max(first_key - key, 0), min(stop_key - key, piece.num_rows)
                rows, row = piece.slice(start, stop - start), key + start - entries[0].first_key + entries[0].first_row
                refuse_nulls(rows, key + start, file, self.config, self.feature_columns)
                yield Read(key + start, rows, file, row, text)

    def announced(
        self, first_key: int, stop_key: int, batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[npt.NDArray[np.int64]]:
        """Keys of the rows [first_key, stop_key), at most `batch_rows` at a time, whose files are what they were when
        these were counted. No row is read. Raises DataError.
        """
        for entries in stretches(self.entries, first_key, stop_key, self.config):
            verify(entries, self.config)
            stop = min(stop_key, entries[-1].stop_key)
            for start in range(max(first_key, entries[0].first_key), stop, batch_rows):
                yield np.arange(start, min(start + batch_rows, stop), dtype=np.int64)

    def take_batches(
        self, columns: Sequence[str], keys: npt.NDArray[np.int64], batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[pa.Table]:
        """The rows of ascending `keys`, piece by piece. Raises DataError if a key is not there."""
        if len(keys) == 0:
            return
        taken = 0
        for key, piece in self.batches(columns, int(keys[0]), int(keys[-1]) + 1, batch_rows):
            start, stop = np.searchsorted(keys, (key, key + piece.num_rows))
            if stop > start:
                yield piece.take(pa.array(keys[start:stop] - key))
            taken += int(stop - start)
        if taken != len(keys):
            raise DataError(f"dataset {self.config.name}: {len(keys) - taken} of {len(keys)} keys are not there")

    def timestamp_batches(self, first_key: int, stop_key: int, batch_rows: int) -> Iterator[npt.NDArray[np.int64]]:
        """Timestamps of the rows [first_key, stop_key), `batch_rows` at a time; each file is read once."""
        for piece in self.timed_batches(first_key, stop_key, batch_rows):
            yield piece.us

    def timed_batches(self, first_key: int, stop_key: int, batch_rows: int) -> Iterator[Times]:
        """The same, with what was seen of the clocks of the zone."""
        ready = Times(np.empty(0, np.int64))
        for key, piece in self.batches([self.config.timestamp], first_key, stop_key, batch_rows):
            ready = ready.then(self._times(piece, key))
            while len(ready.us) >= batch_rows:
                yield ready.rows(0, batch_rows)
                ready = ready.rows(batch_rows, len(ready.us))
        if len(ready.us):
            yield ready

    def timestamps_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """Timestamps of the rows [first_key, stop_key), shape (rows,). Raises DataError for an unusable one."""
        parts = [
            self._times(piece, key).us for key, piece in self.batches([self.config.timestamp], first_key, stop_key)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _times(self, rows: pa.Table, first_key: int) -> Times:
        return times(rows.column(0), first_key, self.file_of(first_key), self.config)

    def file_of(self, key: int) -> str:
        """The file that holds the row."""
        return self.entries[bisect_right(self.entries, key, key=lambda entry: entry.stop_key)].file

    def latest_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """The last moment at which each of the rows [first_key, stop_key) can be dated; shape (rows,)."""
        return self._horizon.latest_us(first_key, stop_key)

    @property
    def has_text_labels(self) -> bool:
        """Whether labels that stand in the rows are texts: so says the first file that does not hold nulls alone."""
        config = self.config
        if config.labels is not None:
            return False
        schemas = (known_schema(entry, config) for entry in self.entries if entry.rows)
        said = (one for one in chain([self.schema], schemas) if config.label in one.names)
        kinds = (kind_of(one.field(config.label).type) for one in said)
        return next((kind == "text" for kind in kinds if kind != "nothing"), False)

    def labels_as_they_are(self, first_key: int, stop_key: int) -> Iterator[tuple[int, pa.ChunkedArray]]:
        """(first key, labels) pieces of the rows [first_key, stop_key), nulls too, whatever `nulls:` says of them."""
        config, there = self.config, copy(self)
        there.config = msgspec.structs.replace(config, nulls=msgspec.structs.replace(config.nulls, labels="drop"))
        for key, piece in there.batches([config.label], first_key, stop_key):
            yield key, piece.column(0)

    def labels(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """Labels of the rows, int64 for whole numbers and booleans, else float64.

        Where rows without a label are dropped, theirs is NaN, and all are float64. Raises DataError for text, and for
        null and NaN elsewhere.
        """
        parts: list[npt.NDArray[Any]] = [
            self.label_numbers(piece.column(0), key)
            for key, piece in self.batches([self.config.label], first_key, stop_key)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def label_numbers(self, column: pa.ChunkedArray, first_key: int) -> npt.NDArray[Any]:
        """A piece of the label's column, as `labels` has it. Raises DataError."""
        return label_numbers(column, first_key, self.file_of(first_key), self.config)

    def _pieces(
        self, entries: Sequence[ManifestEntry], columns: Sequence[str], keys: tuple[int, int], batch_rows: int
    ) -> Iterator[tuple[int, pa.Table]]:
        """Pieces of adjoining entries of one file that hold rows of the keys from one to another.

        Each entry was judged by itself. So those that cannot be read together, as booleans and numbers, or where the
        first file says no type, are read one by one.
        """
        first_key, stop_key = keys
        if len(entries) > 1 and not any(pa.types.is_null(self.schema.field(name).type) for name in columns):
            try:
                for key, piece in self._read(entries, columns, (first_key, stop_key), batch_rows):
                    yield key, piece
                    first_key = max(first_key, key + piece.num_rows)
                return
            except DataError as error:
                if not isinstance(error.__cause__, pa.ArrowInvalid):
                    raise
        for entry in entries:
            if entry.stop_key > first_key:
                yield from self._read([entry], columns, (first_key, stop_key), batch_rows)

    def _read(
        self, entries: Sequence[ManifestEntry], columns: Sequence[str], keys: tuple[int, int], batch_rows: int
    ) -> Iterator[tuple[int, pa.Table]]:
        """Those of `_pieces`, of entries that can be read together."""
        first, verified, again = entries[0], verify(entries, self.config), False
        first_key, stop_key = keys
        first_row, types, folders = max(first_key - first.first_key, 0), *self._types_and_folders(columns, first)
        asked = [name for name in types if name not in folders] or [a_column_of(first, self.config)]
        own = {name: types[name] for name in asked if name in types}
        try:
            with open_part(first.file, self.config, first.first_byte, entries[-1].size_bytes) as file:
                kind = format_in(self.config, first.file)
                for row, batch in kind.batches(file, asked, first_row, batch_rows, own):
                    if first.first_key + row >= stop_key:
                        break
                    if row + batch.num_rows > first_row:
                        again |= refuse_mixture(entries, verified, self.config)
                        yield first.first_key + row, alike(pa.Table.from_batches([batch]), types, folders)
        except UNREADABLE as error:
            remedy = MEND_THE_ROW if isinstance(error, pa.ArrowInvalid) else f"Restore it, then --resume. {IF_MENDED}"
            raise DataError(f"{first.file} cannot be read: {told(error, first.first_row)}. {remedy}") from error
        if again:
            verify(entries, self.config)

    def _types_and_folders(
        self, columns: Sequence[str], entry: ManifestEntry
    ) -> tuple[dict[str, pa.DataType], dict[str, pa.Scalar]]:
        types, said = self._types(columns, entry), given_by_folders(entry, self.config)
        return types, {name: folder_value(said[name], one) for name, one in types.items() if name in said}

    def _types(self, columns: Sequence[str], entry: ManifestEntry) -> dict[str, pa.DataType]:
        """Those of the first file, where it says one; a time may be written in any way in each."""
        types = {name: plain_type(self.schema.field(name).type) for name in columns}
        unsaid = [name for name, one in types.items() if pa.types.is_null(one)]
        own = known_schema(entry, self.config) if unsaid else pa.schema([])
        types |= {name: plain_type(own.field(name).type) for name in unsaid if name in own.names}
        time = self.config.timestamp
        kind = kind_of(types[time]) if time in types else "nothing"
        if kind == "time" or (kind in ("whole number", "number") and self.config.format is not None):
            types[time] = pa.string()
        return types


def open_dataset(config: Dataset, entries: Sequence[ManifestEntry]) -> TableDataset:
    """The dataset as far as the manifest's entries reach. Raises DataError if the first file cannot be read."""
    return TableDataset(config, entries)
