"""Reading a `table` dataset by column and range of keys, streaming, so that memory stays flat as it grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from shared.config.system import Dataset
from shared.dataset.files import fingerprint, is_csv, open_file, schema_of
from shared.dataset.manifest import ManifestEntry
from shared.errors import DataError

_ROWS_AT_ONCE = 65_536
_ZONED = r":\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"  # ISO texts that name their zone; the others are UTC
_verified: set[tuple[str, str]] = set()  # (file, fingerprint) that this process has seen unchanged


class TableDataset:
    """The rows of the files in a manifest, numbered by key."""

    def __init__(self, config: Dataset, entries: Sequence[ManifestEntry]) -> None:
        self.config = config
        self.entries = tuple(entries)
        self.rows = self.entries[-1].stop_key if self.entries else 0
        self.schema = schema_of(self.entries[0].file, config.uri) if self.entries else pa.schema([])

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns a model sees, in the order of the configuration or the first file."""
        if self.config.image is not None:
            return (self.config.image.column,)
        if self.config.text is not None:
            return (self.config.text,)
        if self.config.features is not None:
            return self.config.features
        return tuple(name for name in self.schema.names if name not in (self.config.timestamp, self.config.label))

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int = _ROWS_AT_ONCE
    ) -> Iterator[tuple[int, pa.Table]]:
        """(first key, rows) pieces of at most `batch_rows` rows that cover [first_key, stop_key). Raises DataError."""
        for entry in self.entries:
            if entry.stop_key <= first_key or entry.first_key >= stop_key:
                continue
            for key, piece in self._pieces(entry, columns, first_key, batch_rows):
                if key >= stop_key:
                    break
                start, stop = max(first_key - key, 0), min(stop_key - key, piece.num_rows)
                if stop > start:
                    yield key + start, piece.slice(start, stop - start)

    def read(self, columns: Sequence[str], first_key: int, stop_key: int) -> pa.Table:
        """The rows [first_key, stop_key) as one table."""
        pieces = [piece for _, piece in self.batches(columns, first_key, stop_key)]
        return pa.concat_tables(pieces) if pieces else pa.table({name: [] for name in columns})

    def take_batches(
        self, columns: Sequence[str], keys: npt.NDArray[np.int64], batch_rows: int = _ROWS_AT_ONCE
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

    def take(self, columns: Sequence[str], keys: npt.NDArray[np.int64]) -> pa.Table:
        """The rows of ascending `keys` as one table."""
        pieces = list(self.take_batches(columns, keys))
        return pa.concat_tables(pieces) if pieces else pa.table({name: [] for name in columns})

    def timestamps_us(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64]:
        """Timestamps of the rows [first_key, stop_key), shape (rows,). Raises DataError for an unusable one."""
        parts = [
            self._microseconds(piece.column(0), key)
            for key, piece in self.batches([self.config.timestamp], first_key, stop_key)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def labels(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """Labels of the rows, int64 for whole numbers and booleans, else float64. Raises DataError for a null."""
        parts = []
        for key, piece in self.batches([self.config.label], first_key, stop_key):
            column = piece.column(0)
            if column.null_count:
                row = key + pc.index(pc.is_null(column), True).as_py()
                raise DataError(f"dataset {self.config.name}: the label in {self.config.label} of key {row} is null.")
            whole = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
            parts.append(column.cast(pa.int64() if whole else pa.float64()).to_numpy())
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _pieces(
        self, entry: ManifestEntry, columns: Sequence[str], first_key: int, batch_rows: int
    ) -> Iterator[tuple[int, pa.Table]]:
        """Pieces of one file, from the row group that holds `first_key` on."""
        self._verify(entry)
        key = entry.first_key
        try:
            with open_file(entry.file, self.config.uri) as file:
                if is_csv(entry.file):
                    types = {name: self.schema.field(name).type for name in columns}
                    options = pa_csv.ConvertOptions(include_columns=list(columns), column_types=types)
                    batches = iter(pa_csv.open_csv(file, convert_options=options))
                else:
                    parquet = pq.ParquetFile(file)
                    groups, key = _groups_from(parquet, entry.first_key, first_key)
                    batches = parquet.iter_batches(batch_size=batch_rows, row_groups=groups, columns=list(columns))
                for batch in batches:
                    if key + batch.num_rows > first_key:
                        yield key, pa.Table.from_batches([batch]).select(list(columns))
                    key += batch.num_rows
        except (pa.ArrowInvalid, pa.ArrowKeyError, KeyError, OSError) as error:
            raise DataError(f"{entry.file} cannot be read: {error}. Restore the file, then --resume.") from error

    def _verify(self, entry: ManifestEntry) -> None:
        """Once in a process and file: it is still the file whose rows were given keys."""
        if (entry.file, entry.fingerprint) in _verified:
            return
        if fingerprint(entry.file, self.config.uri) != entry.fingerprint:
            raise DataError(
                f"{entry.file} has changed since its rows were given keys. Restore it, then --resume; "
                "if the dataset was replaced on purpose, give it a new name."
            )
        _verified.add((entry.file, entry.fingerprint))

    def _microseconds(self, column: pa.ChunkedArray, first_key: int) -> npt.NDArray[np.int64]:
        name = f"dataset {self.config.name}: the timestamp in {self.config.timestamp}"
        if column.null_count:
            raise DataError(f"{name} of key {first_key + pc.index(pc.is_null(column), True).as_py()} is null.")
        try:
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                zoned = pc.any(pc.match_substring_regex(column, _ZONED)).as_py()
                column = column.cast(pa.timestamp("us", tz="UTC" if zoned else None))
            elif pa.types.is_integer(column.type):
                column = column.cast(pa.timestamp(self.config.unit or "s"))
            return np.asarray(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy(), np.int64)
        except pa.ArrowInvalid as error:
            raise DataError(f"{name} near key {first_key} cannot be read: {error}") from error


def open_dataset(config: Dataset, entries: Sequence[ManifestEntry]) -> TableDataset:
    """The dataset as far as the manifest's entries reach."""
    return TableDataset(config, entries)


def _groups_from(parquet: pq.ParquetFile, file_first_key: int, first_key: int) -> tuple[list[int], int]:
    """Row groups from the one with `first_key` on, and the key at which they start."""
    key = file_first_key
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        if key + rows > first_key:
            return list(range(group, parquet.num_row_groups)), key
        key += rows
    return [], key
