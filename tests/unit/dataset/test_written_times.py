"""A column of times that is written in another way than config.yaml says is told with the way that reads all of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from shared.config.system import Dataset, TimeFormat
from shared.dataset.discovery import discover, find
from shared.dataset.growth import Rest
from shared.dataset.problems import problems
from shared.dataset.table import TableDataset, open_dataset
from shared.dataset.time_problems import unused_keys
from shared.dataset.timestamp_column import ColumnOfTimes, read_us, times_of
from shared.dataset.written_times import formats_that_fit
from shared.errors import DataError
from shared.timestamps import parse_timestamp_us as us

_DAYS = ("2024-01-31 13:45:07", "2023-12-25 09:05:00")
_COMMON = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p",
    "%b %d %Y", "%b %d, %Y", "%d-%b-%y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z", "%Y%m%d",
    "%Y%m%d%H%M", "%Y%m%dT%H%M%S%z", "%Y-%m-%d %H:%M:%S,%f", "%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S %Y", "%Y-%m",
)  # fmt: skip


class Files:
    """A dataset of files that are written by hand; its timestamps are in `time`."""

    def __init__(self, root: Path) -> None:
        self.data, self._runs = root / "data", str(root / "runs")

    def add(self, name: str, text: str) -> None:
        """One more file, or more of one."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text)

    def csv(self, name: str, times: list[str]) -> None:
        """One more CSV."""
        self.add(name, "time,x,label\n" + "".join(f'"{time}",1.5,{row % 2}\n' for row, time in enumerate(times)))

    def config(self, written: str | None = None, zone: str | None = None, **more: Any) -> Dataset:
        """What config.yaml says of it."""
        values = {"timestamp": "time", "unit": None, "label": "label", "features": None, "image": None, "text": None}
        about = {"name": "rows", "kind": "table", "uri": str(self.data), "format": written, "zone": zone}
        return Dataset(**{**about, **values, **more})

    def found(self, *written: str | None, **more: Any) -> TableDataset:
        """The dataset as far as it has come."""
        config = self.config(*written, **more)
        return open_dataset(config, discover(config, self._runs))

    def times(self, *written: str | None, **more: Any) -> list[int]:
        """Its timestamps, in which nothing is wrong."""
        dataset = self.found(*written, **more)
        assert problems(dataset) == []
        return dataset.timestamps_us(0, dataset.rows).tolist()

    def unfit(self, *written: str | None) -> dict[str, str]:
        """File name → why its rows get no keys."""
        found = find(self.config(*written), self._runs, (), Rest())
        return {Path(file).name: " ".join(one.sentences) for file, one in found.misfits.items()}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """None yet."""
    return Files(tmp_path)


def wrong(values: list[Any], written: TimeFormat = TimeFormat()) -> str:  # noqa: B008
    """What is told of a column of them."""
    of = ColumnOfTimes("date", written, "known_at", "storage.datasets.d.labels")
    with pytest.raises(DataError) as told:
        times_of(pa.chunked_array([values]), of, "row {}".format)
    return str(told.value)


@pytest.mark.parametrize("written", _COMMON)
def test_common_ways_are_known(written: str) -> None:
    """Whatever people write, it is the only one that fits."""
    moments = [datetime.fromisoformat(f"{day}+00:00") for day in _DAYS]
    assert formats_that_fit(pa.chunked_array([[one.strftime(written) for one in moments]])) == [written]


def test_the_offer() -> None:
    """With the first such row's own value; of two that both fit each is named, and a value decides."""
    assert wrong(["2024/01/01", "2024/01/13"]) == (
        "row 0 is '2024/01/01', which is no ISO 8601 time such as 2024-01-31 or 2024-01-31T23:59:00Z. "
        '"%Y/%m/%d" reads all 2 values looked at: say `known_at: {column: date, format: "%Y/%m/%d"}` in '
        "storage.datasets.d.labels."
    )
    both = wrong(["01/02/2024", "03/04/2024"])
    assert '"%d/%m/%Y" and "%m/%d/%Y" both read all 2 values looked at: say which is meant, as in `known_at: {' in both
    assert '. "%m/%d/%Y" reads all 3 values looked at: say' in wrong(["01/02/2024", "03/04/2024", "1/31/2024"])
    assert wrong(["2024-01-31", "2024-02-01", "31/01/2024", "01/02/2024"]).startswith("row 2 is '31/01/2024', which is")
    assert "do not" not in wrong(["soon"])
    assert 'need `known_at: {column: date, format: "…"}` in storage.datasets.d.labels. Mend the row' in wrong(["soon"])


def test_another_way_than_is_said() -> None:
    """What the format does not read, what is no day, and what reads all of it."""
    slashes = TimeFormat(format="%d/%m/%Y")
    assert wrong(["31/01/2024", "2024-01-31"], slashes).startswith(
        "row 1 is '2024-01-31', which `format: \"%d/%m/%Y\"` does not read. Mend the row"
    )
    assert "row 1 is '30/02/2024', which is no day of the calendar" in wrong(["31/01/2024", "30/02/2024"], slashes)
    other = wrong(["01/02/2024", "01/31/2024"], slashes)
    assert other.startswith("row 1 is '01/31/2024', which")
    assert '"%m/%d/%Y" reads all 2 values looked at: if the dataset is written so, say that; all its files' in other
    assert "row 1 is 20241331, which" in wrong([20240131, 20241331], TimeFormat(format="%Y%m%d"))
    assert "row 1 is 2.5, which" in wrong([2024.0, 2.5], TimeFormat(format="%Y"))


def test_numbers_that_may_be_dates() -> None:
    """Beside the units that would do; a number of seconds is no date."""
    told = wrong([20240131, 20240201])
    assert 'if its digits are a date, say `known_at: {column: date, format: "%Y%m%d"}` in storage.datasets.d.' in told
    assert "labels, else say `known_at: {column: date, unit: s}` (1970-08-23T06:15:31.000000Z) or" in told
    assert "format" not in wrong([1700000000, 1710000000])
    assert "format" not in wrong([20240131, 20249999])
    assert wrong([None, 1700000000]).startswith("row 1 is 1700000000, a number without a unit")


def test_csv_json_lines_and_parquet(files: Files) -> None:
    """One format reads all of them; types of time need none."""
    files.csv("a.csv", ["31/01/2024 13:45", "1/2/2024 9:05"])
    files.add("b.jsonl", '{"time": "02/02/2024 00:00", "x": 1.0, "label": 0}\n')
    pq.write_table(pa.table({"time": ["03/02/2024 10:00"], "x": [1.0], "label": [1]}), files.data / "c.parquet")
    typed = pa.array([datetime(2024, 2, 4)], pa.timestamp("us"))
    pq.write_table(pa.table({"time": typed, "x": [1.0], "label": [1]}), files.data / "d.parquet")
    days = ("2024-01-31T13:45", "2024-02-01T09:05", "2024-02-02", "2024-02-03T10:00", "2024-02-04")
    assert files.times("%d/%m/%Y %H:%M") == [us(day) for day in days]


def test_digits_in_text_files(files: Files) -> None:
    """Arrow takes them for numbers; they keep their zeros, in files and in the names of folders."""
    files.add("a.csv", "time,x,label\n01022024,1,0\n31122024,1,1\n")
    files.add("b.jsonl", '{"time": 1032024, "x": 1, "label": 0}\n{"time": 11042024, "x": 1, "label": 0}\n')
    days = ("2024-02-01", "2024-12-31", "2024-03-01", "2024-04-11")
    assert files.unfit("%d%m%Y") == {}
    assert files.times("%d%m%Y") == [us(day) for day in days]


def test_folders(files: Files) -> None:
    """Their names are times, in ISO and in digits."""
    for day in ("2024-01-31", "2024-02-01"):
        files.add(f"time={day}/a.csv", "x,label\n1,0\n2,1\n")
    assert files.times(None, "Europe/Zurich") == [us(f"2024-01-3{day}T23:00") for day in (0, 0, 1, 1)]


def test_folders_of_digits(files: Files) -> None:
    """With a format."""
    for day in ("01022024", "31012024"):
        files.add(f"time={day}/a.csv", "x,label\n1,0\n")
    assert files.times("%d%m%Y") == [us("2024-02-01"), us("2024-01-31")]


def test_a_log_that_grows(files: Files) -> None:
    """Each piece is read by the format; a row that it does not read is told with its row in the file."""
    files.csv("log.csv", ["31/01/2024 13:45"])
    files.found("%d/%m/%Y %H:%M")
    files.add("log.csv", '"1/2/2024 9:05",2.5,1\n')
    assert files.times("%d/%m/%Y %H:%M") == [us("2024-01-31T13:45"), us("2024-02-01T09:05")]
    files.add("log.csv", '"2/2/2024 9:05",2.5,1\n"2024-02-03",2.5,1\n')
    told = files.unfit("%d/%m/%Y %H:%M")["log.csv"]
    assert "row 4 in " in told
    assert "is '2024-02-03', which `format: \"%d/%m/%Y %H:%M\"` does not read" in told


def test_files_that_are_written_differently(files: Files) -> None:
    """The later one gets no keys, and the sentence says how it is written."""
    files.csv("a.csv", ["31/01/2024", "01/02/2024"])
    files.csv("b.csv", ["02/01/2024", "02/29/2024"])
    told = files.unfit("%d/%m/%Y")
    assert list(told) == ["b.csv"]
    assert "the timestamp in time of row 2 in" in told["b.csv"]
    assert "is '02/29/2024', which" in told["b.csv"]
    assert '"%m/%d/%Y" reads all 2 values looked at' in told["b.csv"]


def test_a_zone(files: Files) -> None:
    """Of what names none; the clocks' changes are counted as rows are read, however they are cut."""
    clock = ["2024-03-31 02:30", "2024-10-27 02:15", "2024-10-27T02:15Z", "2024-10-27 02:15+01:00", "2024-07-01"]
    files.csv("a.csv", clock)
    pq.write_table(
        pa.table({"time": pa.array([us("2024-10-27T02:45")], pa.timestamp("us")), "x": [1.0], "label": [0]}),
        files.data / "b.parquet",
    )
    dataset = files.found(None, "Europe/Zurich")
    moments = ("03-31T01:30", "10-27T00:15", "10-27T02:15", "10-27T01:15", "06-30T22:00", "10-27T00:45")
    for rows in (1, 4, 100):
        read = list(dataset.timed_batches(0, dataset.rows, rows))
        assert [us_ for one in read for us_ in one.us.tolist()] == [us(f"2024-{one}") for one in moments]
        assert [mark for one in read for mark in one.marks.tolist()] == [2, 1, 0, 0, 0, 1]
    assert files.found().timed_batches(0, 1, 10).__next__().marks is None


def test_near_the_ends_of_time(files: Files) -> None:
    """The last moment of all is one, as databases write it for never; a zone may move a time beyond it."""
    files.csv("a.csv", ["31/12/9998 23:00", "30/12/9999 23:59", "31/12/9999 23:59"])
    assert "is '31/12/9999 23:59', which is no day of the calendar, or beyond the years 1 to 9999" in (
        " ".join(files.unfit("%d/%m/%Y %H:%M", "America/New_York").values())
    )
    read = files.found("%d/%m/%Y %H:%M").timed_batches(0, 3, 10).__next__()
    assert read.us.tolist() == [us("9998-12-31T23:00"), us("9999-12-30T23:59"), us("9999-12-31T23:59")]
    last = pa.array([datetime.max], pa.timestamp("us"))
    for written in (last, last.cast(pa.string()), pa.array(["9999-12-31T23:59:59.999999Z"])):
        assert read_us(pa.chunked_array([written]), TimeFormat()).tolist() == [us("9999-12-31T23:59:59.999999")]
    with pytest.raises(ValueError, match="beyond the years"):
        read_us(pa.chunked_array([pc.add(last, pa.scalar(1, pa.duration("us")))]), TimeFormat())


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        (None, ["timestamp.format is of texts, and time is timestamp[us] in all files; it can be removed."]),
        (
            "UTC",
            [
                "timestamp.format is of texts, and time is timestamp[us, tz=UTC] in all files; it can be removed.",
                "timestamp.zone is of times that name none, and time is timestamp[us, tz=UTC] in all files; remove it.",
            ],
        ),
    ],
)
def test_what_is_said_and_needed_by_no_file(files: Files, zone: str | None, told: list[str]) -> None:
    """A format beside types of time, and a zone beside times that name theirs; a file with texts needs both."""
    files.data.mkdir()
    time = pa.array([us("2024-01-01")], pa.timestamp("us", zone))
    pq.write_table(pa.table({"time": time, "x": [1.0], "label": [0]}), files.data / "a.parquet")
    said = ("%d/%m/%Y", "Europe/Zurich")
    assert list(unused_keys(files.found(*said))) == [f"dataset rows: {one}" for one in told]
    files.csv("b.csv", ["31/01/2024"])
    assert list(unused_keys(files.found(*said))) == []
