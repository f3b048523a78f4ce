"""Hour, weekday and month of a row's timestamp as numbers, in any way of writing it; what is refused."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.system import TimeFormat
from shared.errors import DataError
from tests.unit.training.memory_dataset import MemoryDataset, with_changes
from workers.features.encoder import encoding_of, fit_encoder, go_on_with, reading, restore_encoder
from workers.features.times import TimeColumn, points

ALL = ("hour", "weekday", "month")
START_US = 1_704_067_200_000_000  # Monday, 2024-01-01
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
PERIODS = {"hour": 24, "weekday": 7, "month": 12}


def moments(*times_us):
    return pa.array(times_us, pa.timestamp("us"))


def hourly(rows, step=1, first_us=START_US):
    return moments(*range(first_us, first_us + rows * step * HOUR_US, step * HOUR_US))


def dataset_of(times, features=ALL, **columns):
    return MemoryDataset(pa.table({"time": times, **columns}), time_features=features)


def fitted(dataset):
    return fit_encoder(dataset, np.arange(dataset.rows), 8)


def by_hand(times_us, zone, features=ALL):
    """The formula that everybody uses, by Python's own calendar: sin and cos of 2π · value / period."""
    rows = []
    for time_us in times_us:
        local = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)).astimezone(zone)
        since_0 = local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600
        value = {"hour": since_0, "weekday": local.weekday(), "month": local.month}
        angles = [2 * np.pi * value[one] / PERIODS[one] for one in features]
        rows.append([side(angle) for angle in angles for side in (np.sin, np.cos)])
    return np.array(rows)


@given(
    st.lists(st.integers(-60_000_000_000_000_000, 250_000_000_000_000_000), min_size=1, max_size=20),
    st.sampled_from([None, "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.permutations(ALL),
    st.integers(1, 3),
)
def test_points_are_those_of_the_calendar(times_us, zone, order, count):
    """From the year 69 to 9892, in any zone, summer time or not, before 1970 too."""
    times = TimeColumn(column="time", features=tuple(order[:count]), zone=zone)
    found = points(pa.table({"time": moments(*times_us)}), times, np.arange(len(times_us)))
    local = ZoneInfo(zone) if zone else dt.UTC
    assert np.allclose(found, by_hand(times_us, local, order[:count]), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (hourly(50).cast(pa.timestamp("s")), TimeFormat()),
        (hourly(50).cast(pa.timestamp("ns", "America/New_York")), TimeFormat()),
        (hourly(50).cast(pa.string()), TimeFormat()),
        (pa.array([f"{one.as_py().isoformat()}+00:00" for one in hourly(50)]), TimeFormat()),
        (hourly(50).cast(pa.string()).dictionary_encode(), TimeFormat()),
        (hourly(50).cast(pa.string()).cast(pa.string_view()), TimeFormat()),
        (pa.array([START_US / 1e6 + 3600 * row for row in range(50)]), TimeFormat(unit="s")),
        (pa.array([START_US // 1000 + 3_600_000 * row for row in range(50)]), TimeFormat(unit="ms")),
    ],
)
def test_a_moment_is_the_same_however_it_is_written(column, written):
    """Also in pieces, to the last bit."""
    times = TimeColumn(column="time", features=ALL, written=written)
    expected = points(pa.table({"time": hourly(50)}), TimeColumn(column="time", features=ALL), np.arange(50))
    assert np.array_equal(points(pa.table({"time": column}), times, np.arange(50)), expected)
    for row in range(50):
        one = points(pa.table({"time": column.slice(row, 1)}), times, np.array([row]))
        assert np.array_equal(one, expected[row : row + 1])


def test_rows_of_times_alone_lie_around_their_middle():
    """A table without any other column has them as its features: float32, less their means, and not scaled."""
    dataset = dataset_of(hourly(400, step=5), label=[0, 1] * 200)
    encoder = fitted(dataset)
    assert (encoder.columns, encoder.inputs.shape) == (("time",), (6,))
    rows = encoder.encode(dataset.table, np.arange(400))
    expected = by_hand([START_US + 5 * HOUR_US * row for row in range(400)], dt.UTC)
    assert rows.dtype == np.float32
    assert np.allclose(rows, expected - expected.mean(axis=0), atol=1e-6)
    restored = restore_encoder(encoder.description, encoder.tensors())
    assert np.array_equal(restored.encode(dataset.table, np.arange(400)), rows)
    assert encoding_of(restored) == encoding_of(encoder)


def test_times_stand_behind_all_else():
    """Numbers, categories and indicators are where they are without times, and the same."""
    columns = {"x": [1.0, None, 3.0, 4.0], "origin": ["a", "b", "a", None], "label": [0, 1, 0, 1]}
    table = pa.table({"time": hourly(4, step=400), **columns})
    without = MemoryDataset(table, indicator=True)
    beside = MemoryDataset(table, indicator=True, time_features=("hour", "month"))
    plain, timed = (fitted(one).encode(table, np.arange(4)) for one in (without, beside))
    assert timed.shape == (4, plain.shape[1] + 4)
    assert np.array_equal(timed[:, : plain.shape[1]], plain)
    assert set(fitted(without).tensors()) == {"mean", "std"}


def test_the_timestamp_may_be_a_column_too():
    """Listed as a feature it is a number of days beside, and read once."""
    dataset = dataset_of(hourly(48), ("hour",))
    dataset.feature_columns = ("time",)
    encoder = fitted(dataset)
    assert (encoder.columns, encoder.inputs.shape) == (("time",), (3,))
    assert np.allclose(encoder.encode(dataset.table, np.arange(48)).mean(axis=0), 0, atol=1e-6)


def test_what_has_not_varied_is_0_until_it_does():
    """As a constant column: a model that saw January alone must not find the whole bias in it."""
    january = dataset_of(hourly(48), label=[0] * 48)
    encoder = fitted(january)
    assert encoder.description.times.constant == ("month",)
    july = pa.table({"time": hourly(48, first_us=START_US + 182 * DAY_US)})
    rows = encoder.encode(july, np.arange(48))
    assert rows[:, :4].any(axis=0).all()
    assert not rows[:, 4:].any()
    again = go_on_with(encoder, january, np.arange(48), grow=False)
    assert encoding_of(again) == encoding_of(encoder)
    half_a_year = dataset_of(hourly(200, step=24), label=[0] * 200)
    later = go_on_with(encoder, half_a_year, np.arange(200), grow=False)
    assert later.description.times.constant == ()
    assert np.array_equal(later.tensors()["centre"][:4], encoder.tensors()["centre"][:4])
    seen = later.encode(half_a_year.table, np.arange(200))
    assert np.allclose(seen[:, 4:].mean(axis=0), 0, atol=1e-6)
    assert np.array_equal(go_on_with(later, january, np.arange(48), grow=False).encode(july, np.arange(48)),
                          later.encode(july, np.arange(48)))  # fmt: skip


def test_an_encoder_takes_times_as_a_dataset_writes_them():
    """Its clock stays: what the model knows of 8 o'clock is of that zone. A column of another name is not meant."""
    zurich = dataset_of(hourly(48))
    zurich.config = with_changes(zurich.config, zone="Europe/Zurich")
    encoder = fitted(zurich)
    there = with_changes(zurich.config, unit="ms", zone=None)
    other = reading(encoder, there)
    an_hour_behind = hourly(48, first_us=START_US - DAY_US // 24)  # UTC, as clocks in Zurich show the hours of the rows
    as_numbers = pa.table({"time": an_hour_behind.cast(pa.timestamp("ms")).cast(pa.int64())})
    keys = np.arange(48)
    assert np.array_equal(other.encode(as_numbers, keys), encoder.encode(zurich.table, keys))
    with pytest.raises(DataError, match="'time' is 1704063600000 at key 0, which is no ISO 8601 time"):
        encoder.encode(as_numbers, keys)
    elsewhere = msgspec.structs.replace(there, timestamp="when")
    assert reading(encoder, elsewhere).description == encoder.description
    plain = fitted(MemoryDataset(pa.table({"x": [1.0, 2.0]})))
    assert reading(plain, there) is plain


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (pa.array([START_US, None, START_US], pa.timestamp("us")), "is null at key 11. The model reads the time"),
        (pa.array(["2024-01-01", "2024-01-02", "soon"]), "is 'soon' at key 12, which is no ISO 8601 time such as"),
        (pa.array([1, 2, 3]), "is 1 at key 10, which is no ISO 8601 time"),
        (pa.array([True, False, True]), "is of type bool at key 10, where a time is needed"),
        (pa.array([[1], [2], [3]]), r"is of type list<\w+: int64> at key 10, where a time is needed"),
    ],
)
def test_times_that_cannot_be_read_name_column_key_and_value(times, told):
    """Where a model is asked: what a dataset holds was judged before."""
    encoder = fitted(dataset_of(hourly(48)))
    with pytest.raises(DataError, match=f"^Column 'time' {told}"):
        encoder.encode(pa.table({"time": times}), np.arange(10, 13))


def test_a_number_beyond_all_years_names_its_unit():
    """Most likely it is the unit that is wrong."""
    times = TimeColumn(column="time", features=ALL, written=TimeFormat(unit="s"))
    with pytest.raises(DataError, match="is 1704067200000000 at key 0, which is no time in s since 1970"):
        points(pa.table({"time": pa.array([START_US])}), times, np.arange(1))


def test_a_missing_timestamp_and_an_unknown_zone_are_told():
    """With what is there, and what helps."""
    with pytest.raises(DataError, match="Column 'time' is missing; there are x"):
        fitted(dataset_of(hourly(48))).encode(pa.table({"x": [1]}), np.arange(1))
    times = TimeColumn(column="time", features=ALL, zone="Mars/Olympus")
    with pytest.raises(DataError, match="The zone 'Mars/Olympus' of column 'time' is no time zone; write a name"):
        points(pa.table({"time": hourly(1)}), times, np.arange(1))


def test_no_rows_are_no_points():
    """A table without rows may not even say a type."""
    assert fitted(dataset_of(hourly(48))).encode(pa.table({"time": []}), np.arange(0)).shape == (0, 6)


def test_a_table_without_features_is_offered_those_of_time():
    """It has a timestamp in any case."""
    table = pa.table({"time": hourly(4), "label": [0, 1, 0, 1]})
    told = r"no feature columns; name some with `features:`.*`time_features: \[hour, weekday, month\]`"
    with pytest.raises(DataError, match=told):
        fitted(MemoryDataset(table))
