"""What a column of a file holds, whatever Arrow type it is written as."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

_UNITS_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}

Kind = Literal["whole number", "number", "text", "time", "nothing", "other"]


def kind_of(arrow_type: pa.DataType) -> Kind:
    """The kind of values of this type; those of a dictionary are its values."""
    arrow_type = values_of(arrow_type)
    if pa.types.is_integer(arrow_type) or pa.types.is_boolean(arrow_type):
        return "whole number"
    if pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type):
        return "number"
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_string_view(arrow_type):
        return "text"
    if pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type):
        return "time"
    return "nothing" if pa.types.is_null(arrow_type) else "other"


def values_of(arrow_type: pa.DataType) -> pa.DataType:
    """The type itself; of a dictionary that of its values."""
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def plain_type(arrow_type: pa.DataType) -> pa.DataType:
    """The type in which columns are read: of a dictionary its values, of a view what it views, no half floats."""
    arrow_type = values_of(arrow_type)
    if pa.types.is_string_view(arrow_type):
        return pa.large_string()
    if pa.types.is_binary_view(arrow_type):
        return pa.large_binary()
    if pa.types.is_list_view(arrow_type) or pa.types.is_large_list_view(arrow_type):
        return pa.large_list(arrow_type.value_type)
    return pa.float32() if pa.types.is_float16(arrow_type) else arrow_type


def alike(one: Kind, other: Kind) -> bool:
    """Whether values of both kinds can stand in one column: numbers mix, times may be written as text."""
    numbers, times = {"whole number", "number"}, {"time", "text"}
    return one == other or "nothing" in (one, other) or {one, other} in (numbers, times)


def days(moments: pa.Array) -> pa.Array:
    """Dates and timestamps as days since 1970 UTC, float64, however they are written."""
    arrow_type = values_of(moments.type)
    if pa.types.is_date32(arrow_type):
        return moments.cast(arrow_type).cast(pa.int32()).cast(pa.float64())
    unit = "ms" if pa.types.is_date64(arrow_type) else arrow_type.unit
    units = moments.cast(arrow_type).cast(pa.int64()).cast(pa.float64(), safe=False)
    return pc.divide(units, float(_UNITS_PER_DAY[unit]))
