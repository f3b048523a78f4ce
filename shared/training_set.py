"""training_sets/<trigger>.parquet: keys and weights, and in the metadata what they were selected by; never whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shared.class_names import ClassNames
from shared.errors import ArtifactError
from shared.training_rule import TrainingRule

Keys = npt.NDArray[np.int64]  # (n,), ascending
Weights = npt.NDArray[np.float32]  # (n,)

ROWS_A_GROUP = 2**20  # of Parquet; what writer and reader hold at once

_METADATA_KEY = b"modyn"
_SCHEMA = pa.schema([pa.field("key", pa.int64()), pa.field("weight", pa.float32())])


class TrainingSetOrigin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why these keys; nothing about time, host or path, so that equal selections are equal bytes."""

    watermark_key: int
    watermark_timestamp_us: int
    rows_read: int
    seed: int
    strategy: str
    classes: ClassNames | None = None  # where they have names
    rule: TrainingRule | None = None  # of the training, where the set alone does not say what is learned from


class TrainingSetWriter:
    """Writes a set to a local file, piece by piece; memory: a row group.

    The bytes follow from all keys, all weights and the origin; not from where the pieces were cut. A file is one once
    it was finished.
    """

    def __init__(self, path: Path) -> None:
        """`path`: of the new file. Raises ArtifactError if it cannot be written, as all methods do."""
        self._path = path
        self._keys = np.empty(ROWS_A_GROUP, np.int64)
        self._weights = np.empty(ROWS_A_GROUP, np.float32)
        self.rows = self._waiting = 0
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of a file that is not finished, and no use
            self._file.close()

    def write(self, keys: Keys, weights: Weights) -> None:
        """The next rows, (n,) both; keys ascend, also from one piece to the next."""
        start = 0
        while start < len(keys):
            some = slice(start, start + ROWS_A_GROUP - self._waiting)
            stop = self._waiting + len(keys[some])
            self._keys[self._waiting : stop], self._weights[self._waiting : stop] = keys[some], weights[some]
            self.rows += stop - self._waiting
            start, self._waiting = some.stop, stop
            if self._waiting == ROWS_A_GROUP:
                self._write_group()

    def clear(self) -> None:
        """Take back all that was written."""
        with _room(self._path):
            self._file.close()
        self.rows = self._waiting = 0
        self._begin()

    def finish(self, origin: TrainingSetOrigin) -> None:
        """Write what is left, and why these rows were chosen."""
        if self._waiting:
            self._write_group()
        with _room(self._path):
            self._file.add_key_value_metadata({_METADATA_KEY: msgspec.json.encode(origin)})
            self._file.close()

    def _begin(self) -> None:
        with _room(self._path):
            self._file = pq.ParquetWriter(
                self._path,
                _SCHEMA,
                compression="zstd",
                use_dictionary=["weight"],
                column_encoding={"key": "DELTA_BINARY_PACKED"},  # neighbours take few bits
                store_schema=False,  # metadata that is known at the end is the schema's for who reads the file
            )

    def _write_group(self) -> None:
        columns = [self._keys[: self._waiting], self._weights[: self._waiting]]
        with _room(self._path):
            self._file.write_table(pa.table(columns, schema=_SCHEMA), row_group_size=ROWS_A_GROUP)
        self._waiting = 0


@contextmanager
def _room(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(f"{path} could not be written: {error}. Make room there, then --resume.") from error


class TrainingSetFile:
    """A set in a local file, which is read piece by piece, as often as it is asked for."""

    def __init__(self, path: Path) -> None:
        """Reads the metadata alone. Raises OSError."""
        self._path = path
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        self.rows: int = metadata.num_rows
        self.all_weigh_one = all(_weighs_one(group) for group in groups)
        self.origin = msgspec.json.decode(metadata.metadata[_METADATA_KEY], type=TrainingSetOrigin)

    def pieces(self) -> Iterator[tuple[Keys, Weights]]:
        """Keys and weights of some rows, then of the next; 2²⁰ at most, not to be written to. Raises OSError."""
        with pq.ParquetFile(self._path) as file:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                yield rows.column("key").to_numpy(), rows.column("weight").to_numpy()


def _weighs_one(group: pq.RowGroupMetaData) -> bool:
    weights = group.column(_SCHEMA.get_field_index("weight")).statistics
    return group.num_rows == 0 or (weights is not None and weights.has_min_max and weights.min == weights.max == 1.0)
