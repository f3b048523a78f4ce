"""A column of timestamps, in any form that a dataset may have them, as microseconds since 1970 UTC."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset, TimeFormat
from shared.dataset.column_kinds import kind_of
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import count_nulls, nulls_of
from shared.errors import DataError
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp, now_us, parse_timestamp_us

_ZONED = r":\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"  # ISO texts that name their zone; the others are UTC
_FIRST_US, _LAST_US = parse_timestamp_us("0001-01-01"), parse_timestamp_us("9999-12-31")
_UNITS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_NUMBERS = ("whole number", "number")


def microseconds(column: pa.ChunkedArray, first_key: int, file: str, dataset: Dataset) -> npt.NDArray[np.int64]:
    """Timestamps, shape (rows,), of rows of a file from `first_key` on.

    Raises DataError for the first that cannot be used, with its key, its file and its value.
    """
    if count_nulls(column):
        row = int(pc.index(nulls_of(column), True).as_py())
        raise DataError(f"{_at(first_key + row, file, dataset)} is {column[row].as_py() or 'null'}. {MEND_THE_ROW}")
    try:
        return read_us(column, dataset.time_format)
    except (pa.ArrowException, ValueError):
        row = first_unreadable(column, dataset.time_format)
        why = _why(column[row], dataset)
        raise DataError(f"{_at(first_key + row, file, dataset)} {why}") from None


def _at(key: int, file: str, dataset: Dataset) -> str:
    return f"dataset {dataset.name}: the timestamp in {dataset.timestamp} of key {key} in {file}"


def read_us(column: pa.ChunkedArray, written: TimeFormat) -> npt.NDArray[np.int64]:
    """Times without nulls, shape (rows,). Raises ArrowException and ValueError if there is one that cannot be used."""
    kind, unit = kind_of(column.type), written.unit
    if kind in _NUMBERS and unit is None:
        raise ValueError("numbers need a unit")
    if kind == "number":
        return _rounded(column, str(unit))
    moments = _moments(column, unit)
    ends = pc.min_max(moments.cast(pa.int64())).as_py()
    _refuse_far(ends["min"], ends["max"], moments.type.unit)
    return np.asarray(moments.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy(), np.int64)


def _rounded(column: pa.ChunkedArray, unit: str) -> npt.NDArray[np.int64]:
    """Fractions of a unit, to the microsecond; infinity is beyond all years."""
    numbers = np.asarray(column.cast(pa.float64()).to_numpy())
    if len(numbers) == 0:
        return np.empty(0, np.int64)
    _refuse_far(float(numbers.min()), float(numbers.max()), unit)
    units_per_s = _UNITS_PER_S[unit]
    if units_per_s > MICROSECONDS_PER_S:
        numbers = numbers / (units_per_s // MICROSECONDS_PER_S)
    else:
        numbers = numbers * (MICROSECONDS_PER_S // units_per_s)
    return np.asarray(np.rint(numbers), np.int64)


def _moments(column: pa.ChunkedArray, unit: str | None) -> pa.ChunkedArray:
    """The column as Arrow timestamps of some unit, all in UTC."""
    kind = kind_of(column.type)
    if kind == "text":
        return parsed(column.cast(pa.string()))
    if kind == "whole number":
        return column.cast(pa.int64()).cast(pa.timestamp(unit))
    return column.cast(pa.timestamp("ms")) if pa.types.is_date(column.type) else column


def parsed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO texts, with and without a zone."""
    texts = pc.utf8_trim_whitespace(texts)
    zoned = pc.match_substring_regex(texts, _ZONED)
    with_zone = pc.if_else(zoned, texts, None).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    return pc.coalesce(with_zone, pc.if_else(zoned, None, texts).cast(pa.timestamp("us")))


def _refuse_far(least: float | None, most: float | None, unit: str) -> None:
    """Raise ValueError for a moment beyond the years 1 to 9999: the unit is wrong, or the number."""
    if least is None or most is None:
        return
    seconds_us = MICROSECONDS_PER_S / _UNITS_PER_S[unit]
    if not _FIRST_US <= least * seconds_us <= most * seconds_us <= _LAST_US:
        raise ValueError("beyond the years 1 to 9999")


def first_unreadable(column: pa.ChunkedArray, written: TimeFormat) -> int:
    """The first row that cannot be read, of a column that has one; found by halves, as rows are read alone or not."""
    first, stop = 0, len(column)
    while stop - first > 1:
        middle = (first + stop) // 2
        try:
            read_us(column.slice(first, middle - first), written)
            first = middle
        except (pa.ArrowException, ValueError):
            stop = middle
    return first


def _why(scalar: pa.Scalar, dataset: Dataset) -> str:
    """What is wrong with a value that cannot be read, and what to do."""
    kind = kind_of(scalar.type)
    if kind not in ("text", *_NUMBERS):  # what is beyond all years cannot be written either
        return f"is beyond the years 1 to 9999. {MEND_THE_ROW}"
    value: Any = scalar.as_py()
    if kind == "text":
        return f"is {value!r}, which is no ISO 8601 time such as 2024-01-31 or 2024-01-31T23:59:00Z. {MEND_THE_ROW}"
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return f"is {value}. {MEND_THE_ROW}"
    fitting = " or ".join(f"`unit: {unit}` ({moment})" for unit, moment in _units_for(value).items())
    offer = f"say {fitting} in storage.datasets.{dataset.name}"
    if dataset.unit is None:
        every = f"say one of {', '.join(_UNITS_PER_S)} as `unit:` in storage.datasets.{dataset.name}"
        return f"is {value}, a number without a unit; {offer if fitting else every}."
    remedy = f"If that is the wrong unit, {offer}. " if fitting else ""
    return f"is {value}; with `unit: {dataset.unit}` that is beyond the years 1 to 9999. {remedy}{MEND_THE_ROW}"


def _units_for(value: float | Decimal) -> dict[str, str]:
    """The units in which a number is a moment between 1970 and today, and that moment; the latest first."""
    moments = {unit: int(value * MICROSECONDS_PER_S) // per_s for unit, per_s in _UNITS_PER_S.items()}
    return {unit: format_timestamp(moment) for unit, moment in moments.items() if 0 < moment <= now_us()}
