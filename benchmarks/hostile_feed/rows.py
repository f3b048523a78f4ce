"""Rows that no other row is like, and how each format writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from shared.timestamps import MICROSECONDS_PER_S, format_timestamp

_BEGIN_US = 1_577_836_800 * MICROSECONDS_PER_S  # 2020
COLUMNS = ("timestamp", "id", "x0", "label", "x1")  # the last cell of a line is one that can be cut within
FEATURES = ("id", "x0", "x1")
_TYPES = (pa.timestamp("us", "UTC"), pa.int64(), pa.float64(), pa.int64(), pa.float64())


class Row(NamedTuple):
    """What a producer wrote; None is a null."""

    timestamp: int | None  # microseconds
    id: int | None
    x0: float | str | None
    label: int | None
    x1: float | None

    def without(self, *columns: str) -> Row:
        """The same row with nulls."""
        return self._replace(**dict.fromkeys(columns))


def rows_from(first: int) -> Iterator[Row]:
    """Rows without end; each is known by its id, and by x0 where that is null."""
    while True:
        yield Row(
            _BEGIN_US + first * MICROSECONDS_PER_S, first, first + 0.5, first * 7 % 3 % 2, first * 7 % 1000 + 0.125
        )
        first += 1


def identity(values: Mapping[str, Any]) -> int:
    """Which row it is."""
    return int(values["id"] if values["id"] is not None else values["x0"] - 0.5)


def parquet(rows: Sequence[Row], columns: Sequence[str] = COLUMNS, **types: pa.DataType) -> bytes:
    """A Parquet file; columns that rows do not have are numbers. `types` are those that differ."""
    known = dict(zip(COLUMNS, _TYPES, strict=True)) | types
    arrays = {}
    for name in columns:
        values = [getattr(row, name, row.id) for row in rows]
        arrays[name] = pa.array(values, known.get(name, pa.float64()))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), out)
    written: bytes = out.getvalue().to_pybytes()
    return written


def csv(rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> bytes:
    """A CSV with its line of names; `note` is a text in two lines."""
    return (",".join(columns) + "\n").encode() + csv_lines(rows, columns)


def csv_lines(rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> bytes:
    """Only the lines of the rows."""
    return "".join(",".join(_cell(row, name) for name in columns) + "\n" for row in rows).encode()


def json_lines(rows: Sequence[Row]) -> bytes:
    """An object a line."""
    return "".join(json.dumps(row._asdict() | {"timestamp": _moment(row)}) + "\n" for row in rows).encode()


FORMATS: Mapping[str, Callable[[Sequence[Row]], bytes]] = {".parquet": parquet, ".csv": csv, ".jsonl": json_lines}


def _cell(row: Row, column: str) -> str:
    if column == "note":
        return f'"row {row.id},\nin two lines"'
    value = _moment(row) if column == "timestamp" else getattr(row, column)
    return "" if value is None else str(value)


def _moment(row: Row) -> str | None:
    return None if row.timestamp is None else format_timestamp(row.timestamp)
