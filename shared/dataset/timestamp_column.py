"""A column of timestamps, in any form that a dataset may have them, as microseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset, TimeFormat
from shared.dataset.by_halves import first_failing
from shared.dataset.column_kinds import kind_of
from shared.dataset.local_times import moments
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import count_nulls, nulls_of
from shared.dataset.time_texts import as_texts, read_texts
from shared.dataset.unreadable_times import UNITS_PER_S, ColumnOfTimes, why
from shared.errors import DataError
from shared.time_format import names_zone
from shared.timestamps import MICROSECONDS_PER_S, parse_timestamp_us
from shared.zones import zone

_ZONED = r":\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"  # ISO texts that name their zone
_FINER = r"(:\d\d\.\d{6})\d{1,3}"  # than microseconds
_FIRST_S = parse_timestamp_us("0001-01-01") // MICROSECONDS_PER_S
_STOP_S = parse_timestamp_us("9999-12-31") // MICROSECONDS_PER_S + 86_400
_NUMBERS = ("whole number", "number")
_LocalRows = npt.NDArray[np.bool_] | bool  # which rows are times of no zone


class Times(NamedTuple):
    """Microseconds since 1970 UTC, and what was seen of the clocks of the zone; both of shape (rows,)."""

    us: npt.NDArray[np.int64]
    marks: npt.NDArray[np.int8] | None = None  # of shared.clock_changes; None where no zone is said

    def rows(self, first: int, stop: int) -> Times:
        """Those from one row to another."""
        return Times(self.us[first:stop], None if self.marks is None else self.marks[first:stop])

    def then(self, later: Times) -> Times:
        """These and later ones of the same column."""
        marks = [one.marks for one in (self, later) if one.marks is not None]
        return Times(np.concatenate([self.us, later.us]), np.concatenate(marks) if marks else None)


def times(column: pa.ChunkedArray, first_key: int, file: str, dataset: Dataset) -> Times:
    """Timestamps of rows of a file from `first_key` on.

    Raises DataError for the first that cannot be used, with its key, its file and its value.
    """
    key, place = dataset.time_key, f"storage.datasets.{dataset.name}"
    of = ColumnOfTimes(dataset.timestamp, dataset.time_format, key, place, unit_beside=key == "timestamp")
    start = f"dataset {dataset.name}: the timestamp in {dataset.timestamp}"
    return times_of(column, of, lambda row: f"{start} of key {first_key + row} in {file}")


def microseconds(column: pa.ChunkedArray, first_key: int, file: str, dataset: Dataset) -> npt.NDArray[np.int64]:
    """The same without what was seen of the clocks, shape (rows,)."""
    return times(column, first_key, file, dataset).us


def times_of(column: pa.ChunkedArray, of: ColumnOfTimes, named: Callable[[int], str]) -> Times:
    """A column of times. `named`: how a sentence begins that speaks of a row of it, the first being 0.

    Raises DataError for the first that is null or cannot be read, with what to write instead.
    """
    if of.written.zone is not None:
        _refuse_unknown_zone(of, of.written.zone)
    if _lacks_unit(column, of.written):
        known = column.filter(pc.invert(nulls_of(column)))
        if len(known):
            row = int(pc.index(nulls_of(column), False).as_py())
            raise DataError(f"{named(row)} {why(column[row], known, of)}")
    if count_nulls(column):
        row = int(pc.index(nulls_of(column), True).as_py())
        raise DataError(f"{named(row)} is {column[row].as_py() or 'null'}. {MEND_THE_ROW}")
    try:
        return read_times(column, of.written)
    except (pa.ArrowException, ValueError):
        row = first_unreadable(column, of.written)
        raise DataError(f"{named(row)} {why(column[row], column, of)}") from None


def first_unreadable(column: pa.ChunkedArray, written: TimeFormat) -> int:
    """The first row that cannot be read, of a column that has one."""
    return first_failing(len(column), lambda first, stop: _can_be_read(column.slice(first, stop - first), written))


def read_us(column: pa.ChunkedArray, written: TimeFormat) -> npt.NDArray[np.int64]:
    """Times without nulls, shape (rows,). Raises ArrowException and ValueError if there is one that cannot be used."""
    return read_times(column, written).us


def read_times(column: pa.ChunkedArray, written: TimeFormat) -> Times:
    """Times without nulls. Raises ArrowException and ValueError if there is one that cannot be used."""
    kind = kind_of(column.type)
    if kind in _NUMBERS and written.format is None:
        us = _of_numbers(column, kind, written.unit)
        return Times(us, None if written.zone is None else np.zeros(len(us), np.int8))
    us, local = _as_written(column, kind, written)
    if written.zone is None:
        return Times(us)
    found = moments(us, written.zone)
    us = np.where(local, found.us, us)
    _refuse_far(us, "us")
    return Times(us, np.where(local, found.marks, np.int8(0)))


def _refuse_unknown_zone(of: ColumnOfTimes, name: str) -> None:
    """Raise DataError for a zone that this machine does not know, though the one that read config.yaml did."""
    try:
        zone(name)
    except ValueError as error:
        raise DataError(f"{of.place}: {of.key}.zone: {name!r} {error}") from None


def _lacks_unit(column: pa.ChunkedArray, written: TimeFormat) -> bool:
    return kind_of(column.type) in _NUMBERS and written.unit is None and written.format is None


def _of_numbers(column: pa.ChunkedArray, kind: str, unit: str | None) -> npt.NDArray[np.int64]:
    if unit is None:
        raise ValueError("numbers need a unit")
    if kind == "number":
        return _rounded(column, unit)
    return _us_of(column.cast(pa.int64()).cast(pa.timestamp(unit)))


def _rounded(column: pa.ChunkedArray, unit: str) -> npt.NDArray[np.int64]:
    """Fractions of a unit, to the microsecond; infinity is beyond all years."""
    numbers = np.asarray(column.cast(pa.float64()).to_numpy())
    _refuse_far(numbers, unit)
    units_per_s = UNITS_PER_S[unit]
    if units_per_s > MICROSECONDS_PER_S:
        numbers = numbers / (units_per_s // MICROSECONDS_PER_S)
    else:
        numbers = numbers * (MICROSECONDS_PER_S // units_per_s)
    return np.asarray(np.rint(numbers), np.int64)


def _as_written(column: pa.ChunkedArray, kind: str, written: TimeFormat) -> tuple[npt.NDArray[np.int64], _LocalRows]:
    """Microseconds since 1970 of texts and types of time, and which rows name no zone."""
    if kind in ("text", *_NUMBERS) and written.format is not None:
        us = read_texts(as_texts(column, written.format) if kind in _NUMBERS else column, written.format)
        _refuse_far(us, "us")
        return us, not names_zone(written.format)
    if kind == "text":
        return _iso(column)
    moments_ = column.cast(pa.timestamp("ms")) if pa.types.is_date(column.type) else column
    return _us_of(moments_), moments_.type.tz is None


def _iso(texts: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], _LocalRows]:
    """ISO texts, with and without a zone; of nine digits behind the point six are kept."""
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    zoned = pc.match_substring_regex(texts, _ZONED)
    try:
        us = _us_of(_parsed(texts, zoned))
    except pa.ArrowInvalid:
        us = _us_of(_parsed(pc.replace_substring_regex(texts, _FINER, r"\1"), zoned))
    return us, ~np.asarray(zoned.to_numpy(), np.bool_)


def _parsed(texts: pa.ChunkedArray, zoned: pa.ChunkedArray) -> pa.ChunkedArray:
    with_zone = pc.if_else(zoned, texts, None).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    return pc.coalesce(with_zone, pc.if_else(zoned, None, texts).cast(pa.timestamp("us")))


def _us_of(moments_: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Arrow's timestamps of any unit, to the microsecond. Raises ValueError for one beyond all years."""
    _refuse_far(moments_.cast(pa.int64()), moments_.type.unit)
    return np.asarray(moments_.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy(), np.int64)


def _refuse_far(numbers: Any, unit: str) -> None:
    """Raise ValueError for a moment beyond the years 1 to 9999: the unit is wrong, or the number."""
    if len(numbers) == 0:
        return
    ends = pc.min_max(numbers).as_py() if isinstance(numbers, pa.ChunkedArray) else None
    least, most = (ends["min"], ends["max"]) if ends else (numbers.min().item(), numbers.max().item())
    if not _FIRST_S * UNITS_PER_S[unit] <= least <= most < _STOP_S * UNITS_PER_S[unit]:
        raise ValueError("beyond the years 1 to 9999")


def _can_be_read(column: pa.ChunkedArray, written: TimeFormat) -> bool:
    try:
        read_times(column, written)
    except (pa.ArrowException, ValueError):
        return False
    return True
