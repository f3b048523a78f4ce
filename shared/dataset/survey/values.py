"""A column's values in a form in which those of all files compare: no nulls, times as whole microseconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import Kind, kind_of, plain_type
from shared.dataset.nulls import count_nulls

_LARGEST = 2**63 - 1


class Values(NamedTuple):
    """The next rows of a column."""

    kind: Kind
    rows: pa.Array  # whole numbers (booleans are 0 and 1, times microseconds), float64, or texts; with nulls
    known: pa.Array  # the same without nulls
    nulls: int

    def numbers(self) -> npt.NDArray[np.float64]:
        """What is known, as float64, (known rows,)."""
        return np.asarray(self.known.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def values_of(column: pa.ChunkedArray) -> Values:
    """Of any type that a column may have."""
    kind, rows = kind_of(column.type), _in_one_piece(column)
    nulls = count_nulls(rows)
    rows = _plain(rows, kind)
    if not nulls:
        return Values(kind, rows, rows, 0)
    if kind == "number":
        rows = pc.if_else(pc.is_nan(rows), None, rows)
    return Values(kind, rows, rows.drop_null(), nulls)


def _in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _plain(rows: pa.Array, kind: Kind) -> pa.Array:
    if kind == "number":
        return rows.cast(pa.float64(), safe=False)
    if kind == "time":
        rows = rows.cast(plain_type(rows.type))
        zone = rows.type.tz if pa.types.is_timestamp(rows.type) else None
        return rows.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    if kind == "whole number":
        return rows.cast(pa.float64() if _too_large(rows) else pa.int64(), safe=False)
    return rows.cast(pa.large_string()) if kind == "text" else rows


def _too_large(rows: pa.Array) -> bool:
    """Whether whole numbers are too large for int64."""
    return bool(pa.types.is_uint64(rows.type) and (pc.max(rows).as_py() or 0) > _LARGEST)
