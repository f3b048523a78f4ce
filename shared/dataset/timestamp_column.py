"""A column of timestamps, in any form that a dataset may have them, as microseconds since 1970 UTC."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset
from shared.dataset.column_kinds import kind_of
from shared.dataset.manifest import MEND_THE_ROW
from shared.errors import DataError
from shared.timestamps import MICROSECONDS_PER_S, parse_timestamp_us

_ZONED = r":\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"  # ISO texts that name their zone; the others are UTC
_FIRST_US, _LAST_US = parse_timestamp_us("0001-01-01"), parse_timestamp_us("9999-12-31")
_UNITS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def microseconds(column: pa.ChunkedArray, first_key: int, dataset: Dataset) -> npt.NDArray[np.int64]:
    """Timestamps, shape (rows,); `first_key` is the first row's key. Raises DataError for one that cannot be used."""
    name = f"dataset {dataset.name}: the timestamp in {dataset.timestamp}"
    if column.null_count:
        row = first_key + pc.index(pc.is_null(column), True).as_py()
        raise DataError(f"{name} of key {row} is null. {MEND_THE_ROW}")
    try:
        moments = _moments(column, dataset.unit)
        _refuse_far(moments)
        return np.asarray(moments.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy(), np.int64)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{name} near key {first_key} cannot be read: {error}. {MEND_THE_ROW}") from error


def _moments(column: pa.ChunkedArray, unit: str | None) -> pa.ChunkedArray:
    """The column as Arrow timestamps of some unit, all in UTC."""
    kind = kind_of(column.type)
    if kind == "text":
        return _parsed(column.cast(pa.string()))
    if kind == "whole number":
        if unit is None:
            raise ValueError(f"{column.type} needs a unit; say `unit: s` or `unit: ms` in config.yaml")
        return column.cast(pa.int64()).cast(pa.timestamp(unit))
    return column.cast(pa.timestamp("ms")) if pa.types.is_date(column.type) else column


def _parsed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """ISO texts, with and without a zone."""
    texts = pc.utf8_trim_whitespace(texts)
    zoned = pc.match_substring_regex(texts, _ZONED)
    with_zone = pc.if_else(zoned, texts, None).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    return pc.coalesce(with_zone, pc.if_else(zoned, None, texts).cast(pa.timestamp("us")))


def _refuse_far(moments: pa.ChunkedArray) -> None:
    """Raise ValueError for a moment beyond the years 1 to 9999: the unit is wrong, or the number."""
    ends = pc.min_max(moments.cast(pa.int64())).as_py()
    per_s = _UNITS_PER_S[moments.type.unit]
    for value in (ends["min"], ends["max"]):
        if value is not None and not _FIRST_US <= value * MICROSECONDS_PER_S // per_s <= _LAST_US:
            raise ValueError(f"{value} in {moments.type.unit} is beyond the years 1 to 9999; check the unit")
