"""What of its own timestamp a model sees of a row: hour, weekday and month, each a point on a circle.

A point is sine and cosine of 2π · value / period, so that 23:59 is next to 0:00, less their means over the training set
that fitted the encoder. So a month that all rows of that set share is 0, and is not learned as if it were a part of the
bias, which would be wrong as soon as it changes. They are not divided by a deviation: that of a few weeks would throw
the other months far away. One that has not varied yet is 0 whatever it is, as a column is.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset, TimeFeature, TimeFormat
from shared.dataset.column_kinds import kind_of
from shared.dataset.local_times import on_the_clock
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.timestamp_column import first_unreadable, read_us
from shared.errors import DataError, RowError
from workers.features.columns import Keys, as_it_is, refuse_nulls
from workers.features.moments import RunningMoments

_DAY_US = 86_400_000_000
_MONDAY = 3  # weekday of 1970-01-01, a Thursday, where Monday is 0


class TimeColumn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column of times, and what a model sees of it. It is stored with the model."""

    column: str
    features: tuple[TimeFeature, ...]
    written: TimeFormat = TimeFormat()
    zone: str | None = None  # of the clock and the calendar; None: UTC
    constant: tuple[TimeFeature, ...] = ()  # those that have not varied yet

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return 2 * len(self.features)


def times_of(dataset: Dataset) -> TimeColumn | None:
    """What config.yaml says of a dataset."""
    if not dataset.time_features:
        return None
    written = dataset.time_format
    return TimeColumn(column=dataset.timestamp, features=dataset.time_features, written=written, zone=dataset.zone)


def as_written_in(times: TimeColumn, dataset: Dataset) -> TimeColumn:
    """The same of a dataset that may write its timestamps in another way than the one that the model was trained on."""
    own = times.column == dataset.timestamp
    return msgspec.structs.replace(times, written=dataset.time_format) if own else times


def points(table: pa.Table, times: TimeColumn, keys: Keys) -> npt.NDArray[np.float64]:
    """Sine and cosine of each feature in order, (rows, times.width).

    Raises DataError naming column and key of a time that is null or cannot be read.
    """
    found = np.empty((table.num_rows, times.width))
    values = as_it_is(table, times.column)
    if table.num_rows == 0:
        return found
    local = _local_us(_read(values, times, keys), times)
    for index, feature in enumerate(times.features):
        angle = _turns(local, feature) * (2 * np.pi)
        found[:, 2 * index], found[:, 2 * index + 1] = np.sin(angle), np.cos(angle)
    return found


def centred(found: npt.NDArray[np.float64], centre: npt.NDArray[np.float64], times: TimeColumn) -> None:
    """Move points (rows, times.width) in place, as a model takes them."""
    found -= centre
    for index, feature in enumerate(times.features):
        if feature in times.constant:
            found[:, 2 * index : 2 * index + 2] = 0


class Centre:
    """Where the middle of a training set's points is, found in one pass."""

    def __init__(self, times: TimeColumn) -> None:
        self._times, self._moments = times, RunningMoments(times.width)

    def add(self, table: pa.Table, keys: Keys) -> None:
        """Take in the next rows. Raises DataError."""
        self._moments.add(points(table, self._times, keys))

    def fitted(self, before: npt.NDArray[np.float64] | None = None) -> tuple[TimeColumn, npt.NDArray[np.float64]]:
        """What has not varied, and the middle, (width,).

        `before`: the middle of what a model is used to, which moves for what had not varied until now alone.
        """
        times, varies = self._times, self._moments.varies[::2] | self._moments.varies[1::2]
        waiting = times.features if before is None else times.constant
        constant = tuple(one for one, moves in zip(times.features, varies, strict=True) if one in waiting and not moves)
        moved = np.repeat([one in waiting and one not in constant for one in times.features], 2)
        centre = np.where(moved, self._moments.mean, 0.0 if before is None else before)
        return msgspec.structs.replace(times, constant=constant), centre


def _turns(local_us: npt.NDArray[np.int64], feature: TimeFeature) -> npt.NDArray[np.float64]:
    """Value over period: the hour with its minutes and seconds, the weekday from 0 for Monday, the month from 1."""
    if feature == "hour":
        return local_us % _DAY_US / _DAY_US
    if feature == "weekday":
        return (local_us // _DAY_US + _MONDAY) % 7 / 7
    return np.asarray(pc.month(pa.array(local_us, pa.timestamp("us"))).to_numpy(), np.float64) / 12


def _read(values: pa.Array, times: TimeColumn, keys: Keys) -> npt.NDArray[np.int64]:
    """Microseconds since 1970 UTC, (rows,)."""
    name, kind = times.column, kind_of(values.type)
    refuse_nulls(values, name, keys, f"The model reads the time of each row. {MEND_THE_ROW}")
    if kind == "other" or pa.types.is_boolean(values.type):
        raise RowError(f"Column {name!r} is of type {values.type} at key {keys[0]}, where a time is needed.")
    column = pa.chunked_array([values])
    try:
        return read_us(column, times.written)
    except (pa.ArrowException, ValueError):
        row = first_unreadable(column, times.written)
        told = f"Column {name!r} is {values[row].as_py()!r} at key {keys[row]}, which is no {_expected(times.written)}"
        raise RowError(f"{told}. {MEND_THE_ROW}") from None


def _expected(written: TimeFormat) -> str:
    """The words for a time that can be read."""
    if written.unit is not None:
        return f"time in {written.unit} since 1970, nor one of the years 1 to 9999"
    return f"time such as {written.format}" if written.format else "ISO 8601 time such as 2024-01-31T23:59:00Z"


def _local_us(times_us: npt.NDArray[np.int64], times: TimeColumn) -> npt.NDArray[np.int64]:
    """What clock and calendar of the zone show, as if it were UTC."""
    if times.zone is None:
        return times_us
    try:
        return on_the_clock(times_us, times.zone)
    except ValueError as error:
        raise DataError(f"The zone {times.zone!r} of column {times.column!r} {error}") from error
