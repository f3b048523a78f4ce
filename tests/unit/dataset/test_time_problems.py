"""Times that look wrong are named with row, file and value, and sound ones are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.survey.times import GAPS_KEPT, time_survey
from shared.dataset.table import open_dataset
from shared.dataset.time_problems import file_order_problems, time_problems
from shared.timestamps import parse_timestamp_us

HOUR_US = 3_600_000_000
START_US = parse_timestamp_us("2013-01-01")


def hours(*numbers):
    """Moments so many hours after the start of 2013."""
    return [START_US + round(number * HOUR_US) for number in numbers]


@pytest.fixture
def dataset_of(tmp_path):
    """A dataset of files by name, each with these timestamps."""

    def make(unit=None, **files):
        for name, times in files.items():
            column = pa.array(times, pa.int64()) if unit else pa.array(times, pa.timestamp("us", tz="UTC"))
            pq.write_table(pa.table({"time": column, "label": [0] * len(times)}), tmp_path / f"{name}.parquet")
        config = Dataset(
            name="rows", kind="table", uri=str(tmp_path), timestamp="time", unit=unit, label="label", features=None,
            image=None, text=None,
        )  # fmt: skip
        return open_dataset(config, discover(config, str(tmp_path / "runs")))

    return make


def test_sound_times_are_not_named(dataset_of):
    """Hourly rows with a few late ones, nights without rows, a month off, and a file that begins when one ends."""
    days = [24 * day + hour for day in [*range(100), *range(130, 200)] for hour in range(8, 20)]
    days[100], days[500] = days[90], days[480]
    half = len(days) // 2
    assert time_problems(dataset_of(a=hours(*days[:half]), b=hours(*days[half:]))) == []


def test_rows_that_jitter_are_not_named(dataset_of):
    """Rows of several machines, a few seconds apart: half of them are late, and files overlap by a moment."""
    rng = np.random.default_rng(0)
    times = hours(*(np.arange(2_000) / 10 + rng.uniform(-1, 1, 2_000) / 5))
    assert time_problems(dataset_of(a=times[:1_000], b=times[1_000:])) == []


def test_files_each_in_reverse_order(dataset_of):
    """No row has many behind it compared with all, but far too many for a mere jitter."""
    files = {f"f{day:02}": hours(*(24 * day + np.arange(24, 0, -0.2))) for day in range(30)}
    (told,) = time_problems(dataset_of(**files))
    assert "3,570 of 3,600 rows are late" in told


def test_a_row_of_the_future(dataset_of):
    """With count, the first row, its file and its date, the limit, and what to do."""
    times = hours(*range(20))
    times[7] = times[9] = parse_timestamp_us("2191-04-01")
    (told,) = time_problems(dataset_of(a=times[:5], b=times[5:]))
    for part in (
        "dataset rows: 2 rows are dated too late",
        "key 7 in ",
        "b.parquet is dated 2191-04-01",
        "future_skew",
    ):
        assert part in told


def test_nothing_but_rows_of_the_future(dataset_of):
    """All of them, said so; a clock of this machine that is behind looks the same, and is named."""
    (told,) = time_problems(dataset_of(a=[parse_timestamp_us("2191-04-01")] * 3))
    assert "all rows are dated too late" in told
    assert "by this machine's clock" in told


@pytest.mark.parametrize("year", ["1970", "1900"])
def test_a_row_from_far_in_the_past(dataset_of, year):
    """In the middle it is late by more than the stream is long."""
    times = hours(*range(20))
    times[7] = parse_timestamp_us(f"{year}-01-01")
    (told,) = time_problems(dataset_of(a=times))
    assert "1 row is dated before the first row, and the earliest is further from it than the last is: key 7" in told
    assert f"is dated {year}-01-01" in told


def test_a_stream_that_begins_in_1970(dataset_of):
    """The first row is far from all others: event time leaps."""
    times = [0, *hours(*range(20))]
    (told,) = time_problems(dataset_of(a=times))
    assert "event time leaps at key 1 in " in told
    assert "from 1970-01-01T00:00:00.000000Z to 2013-01-01T00:00:00.000000Z" in told


def test_a_row_dated_years_ahead_that_still_can_be(dataset_of):
    """It is past when the file is found, so it advances event time: the leap, and the rows behind it, are named."""
    times = hours(*range(40))
    times[7] = parse_timestamp_us("2020-05-05")
    leap, late = time_problems(dataset_of(a=times))
    assert "leaps at key 7 in " in leap
    assert "to 2020-05-05" in leap
    assert "32 of 40 rows are late" in late
    assert "key 7 in " in late


def test_a_few_weeks_ahead_within_a_year(dataset_of):
    """No great leap, but one row holds event time for a tenth of all."""
    times = hours(*range(0, 24 * 365, 6))
    times[100] = times[250]
    (told,) = time_problems(dataset_of(a=times))
    assert "149 of 1,460 rows are late, dated before one that came earlier, 149 of them behind one row: key 100" in told


def test_rows_in_reverse_order(dataset_of):
    """All but the first are late."""
    (told,) = time_problems(dataset_of(a=hours(*range(20, 0, -1))))
    assert "19 of 20 rows are late" in told
    assert "reverse order" in told


def test_seconds_taken_for_milliseconds(dataset_of):
    """All times in 1970: the unit is asked about."""
    seconds = [START_US // 1_000_000 + 3600 * row for row in range(20)]
    (told,) = time_problems(dataset_of(unit="ms", a=seconds))
    assert "is `unit: ms` the unit of time?" in told


def test_files_numbered_without_zeros(dataset_of):
    """1, 10, 11, 12, 2 …: the file that begins too early is named, and how its name is to be padded."""
    files = {str(month): hours(*range(720 * month, 720 * month + 700, 10)) for month in range(1, 13)}
    dataset = dataset_of(**files)
    (told,) = file_order_problems(dataset)
    for part in (
        "1 of 12 files begins before the file read before it ends",
        "/2.parquet begins at",
        "/12.parquet ends",
    ):
        assert part in told
    assert "Pad the numbers in their names with zeros (2.parquet → 02.parquet)" in told
    assert told in time_problems(dataset)


def test_files_whose_names_are_in_another_order(dataset_of):
    """No number to pad: names that sort by time are asked for; a file that overlaps is named, too."""
    (told,) = file_order_problems(dataset_of(jan=hours(*range(30)), feb=hours(*range(100, 130))))
    assert "jan.parquet begins at" in told
    assert "Name the files so that the order of their names is that of their times" in told
    assert "give the dataset a new name" in told


def test_files_in_order_and_files_without_rows(dataset_of):
    """One may begin at the moment when another ends; empty ones and those of wrong dates alone count for nothing."""
    files = {"a": hours(*range(5)), "b": [], "c": [parse_timestamp_us("2191-01-01")], "d": hours(4, 5)}
    assert file_order_problems(dataset_of(**files)) == []


@settings(max_examples=60)
@given(
    times=st.lists(st.integers(0, 60), min_size=1, max_size=60),
    far=st.sets(st.integers(0, 59)),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    at_once=st.integers(1, 20),
)
def test_a_survey_counts_what_is_there(tmp_path_factory, times, far, cuts, at_once):
    """In batches of any size and files of any size: against a loop over the rows."""
    folder = tmp_path_factory.mktemp("rows")
    far_us = parse_timestamp_us("2191-01-01")
    dated = [far_us if key in far else START_US + time * HOUR_US for key, time in enumerate(times)]
    for number, piece in enumerate(np.split(np.array(dated), sorted(min(cut, len(dated)) for cut in cuts))):
        column = pa.array(piece, pa.timestamp("us", tz="UTC"))
        pq.write_table(pa.table({"time": column, "label": [0] * len(piece)}), folder / f"{number}.parquet")
    config = Dataset(
        name="rows", kind="table", uri=str(folder), timestamp="time", unit=None, label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    found = time_survey(open_dataset(config, discover(config, str(folder / "runs"))), at_once)
    sound = [time for time in dated if time != far_us]
    assert (found.rows, found.misdated) == (len(dated), len(dated) - len(sound))
    assert found.late == sum(time < max(sound[: row + 1]) for row, time in enumerate(sound))
    assert found.before == sum(time < sound[0] for time in sound)
    assert (found.began_us, found.ended_us) == ((sound[0], max(sound)) if sound else (None, None))
    now = [max(sound[: row + 1]) for row in range(len(sound))]
    steps = sorted((two - one for one, two in zip(now, now[1:], strict=False) if two > one), reverse=True)
    assert [gap.length_us for gap in found.gaps] == steps[:GAPS_KEPT]
    behind = {time: sum(one < time for one, event in zip(sound, now, strict=True) if event == time) for time in now}
    assert found.held == max(behind.values(), default=0)
    for file in found.files:
        entry = file.entry
        own = [time for time in dated[entry.first_key : entry.stop_key] if time != far_us]
        assert (file.first_us, file.latest_us) == (own[0], max(own))
