"""Rows are read by column and range of keys, across files, row groups and formats."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.event_time import first_key_after, running_event_time
from shared.dataset.table import open_dataset
from shared.errors import DataError

NAN = float("nan")


def config_of(folder, **changes):
    """A dataset of all files in a folder."""
    values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
    return Dataset(**{"name": "flights", "kind": "table", "uri": str(folder), **values, **changes})


def dataset_of(folder, *tables, **changes):
    """A dataset of one Parquet file a table."""
    data = folder / "data"
    data.mkdir()
    for number, table in enumerate(tables):
        pq.write_table(pa.table(table), data / f"{number}.parquet", row_group_size=4)
    config = config_of(data, **changes)
    return open_dataset(config, discover(config, str(folder / "runs")))


@pytest.fixture(scope="module")
def twenty(tmp_path_factory):
    """20 rows in a Parquet file of 3 row groups, a CSV file and another Parquet file; x is the key."""
    folder = tmp_path_factory.mktemp("twenty")
    for first, stop, name in ((0, 10, "a.parquet"), (10, 13, "b.csv"), (13, 20, "c.parquet")):
        keys = list(range(first, stop))
        table = pa.table({"time": [10 * key for key in keys], "x": keys, "label": [key % 2 for key in keys]})
        if name.endswith("csv"):
            pa_csv.write_csv(table, folder / name)
        else:
            pq.write_table(table, folder / name, row_group_size=4)
    config = config_of(folder)
    return open_dataset(config, discover(config, str(tmp_path_factory.mktemp("runs"))))


@given(first=st.integers(0, 22), rows=st.integers(0, 22), batch_rows=st.integers(1, 9))
def test_rows_that_are_there_are_told_without_being_read(twenty, first, rows, batch_rows):
    """Their keys, ascending, some at a time; of those behind the end none."""
    pieces = list(twenty.announced(first, first + rows, batch_rows))
    assert [key for piece in pieces for key in piece.tolist()] == list(range(first, min(first + rows, 20)))
    assert all(0 < len(piece) <= batch_rows for piece in pieces)


@given(first=st.integers(0, 20), rows=st.integers(0, 20), batch_rows=st.integers(1, 9))
def test_ranges_are_exact(twenty, first, rows, batch_rows):
    """Any range comes back whole, in order, each piece with the key of its first row."""
    stop, found = min(first + rows, 20), []
    for key, piece in twenty.batches(["x"], first, stop, batch_rows):
        assert piece.column("x").to_pylist() == list(range(key, key + piece.num_rows))
        found += piece.column("x").to_pylist()
    assert found == list(range(first, stop))


@given(keys=st.sets(st.integers(0, 19)))
def test_take_gives_the_rows_of_the_keys(twenty, keys):
    """Chosen keys come back in order, whatever files they are in."""
    chosen = np.array(sorted(keys), np.int64)
    found = [value for piece in twenty.take_batches(["x"], chosen) for value in piece["x"].to_pylist()]
    assert found == chosen.tolist()


def test_take_misses_no_key_silently(twenty):
    """A key beyond the data is an error, not a shorter answer."""
    with pytest.raises(DataError, match="1 of 2 keys are not there"):
        list(twenty.take_batches(["x"], np.array([19, 20])))


def test_columns_come_in_the_order_asked_for(twenty):
    """Parquet and CSV give the columns in the order of the call."""
    assert [piece.column_names for _, piece in twenty.batches(["label", "x"], 8, 14)] == [["label", "x"]] * 3


def test_features_are_all_other_columns(twenty):
    """Without `features`, a model sees what is neither timestamp nor label."""
    assert twenty.feature_columns == ("x",)


def test_features_as_configured(tmp_path):
    """`features` gives the columns and their order."""
    table = {"time": [1], "a": [1], "b": [2], "label": [0]}
    assert dataset_of(tmp_path, table, features=("b", "a")).feature_columns == ("b", "a")


def test_labels_across_files(twenty):
    """Whole labels are int64."""
    labels = twenty.labels(9, 14)
    assert (labels.dtype, labels.tolist()) == (np.int64, [1, 0, 1, 0, 1])


def test_null_label_is_named_by_its_key(tmp_path):
    """A missing label is an error that says where."""
    dataset = dataset_of(tmp_path, {"time": [1, 2], "label": [0, 1]}, {"time": [3, 4], "label": [1, None]})
    with pytest.raises(DataError, match="the label in label of key 3 is null"):
        dataset.labels(0, 4)


def test_dropped_labels_are_nan(tmp_path):
    """Where rows without a label are dropped, null and NaN are told apart from all labels."""
    files = [{"time": [1, 2], "label": label} for label in ([0, 1], [None, 1], [NAN, 1.5], [True, None], [None] * 2)]
    dataset = dataset_of(tmp_path, *files, nulls=Nulls(labels="drop"))
    assert dataset.labels(0, 2).dtype == np.int64
    assert np.array_equal(dataset.labels(0, 10), [0, 1, NAN, 1, NAN, 1.5, 1, NAN, NAN, NAN], equal_nan=True)


def test_a_null_label_offers_to_drop_the_row(tmp_path):
    """File, key and column, and the key of config.yaml."""
    dataset = dataset_of(tmp_path, {"time": [1, 2], "label": [0, None]})
    with pytest.raises(DataError, match=r"label of key 1 is null, in .*0\.parquet.*`nulls: \{labels: drop\}`"):
        list(dataset.batches(["time", "label"], 0, 2))


@pytest.mark.parametrize(("x", "said"), [([1.0, None], "null"), ([1.0, NAN], "nan"), (["a", None], "null")])
def test_a_null_feature_that_is_refused(tmp_path, x, said):
    """File, key and column are told, and the key of config.yaml that fills it in; other columns are not looked at."""
    files = [{"time": [1, 2], "x": one, "y": [None, 1], "label": [0, 1]} for one in (x[:1] * 2, x)]
    dataset = dataset_of(tmp_path, *files, features=("x",), nulls=Nulls(features="refuse"))
    sentence = rf"the feature x of key 3 is {said}, in .*1\.parquet.*`nulls: \{{features: impute\}}`"
    with pytest.raises(DataError, match=sentence):
        list(dataset.batches(["y", "x"], 0, 4))
    assert len(list(dataset.batches(["y", "x"], 0, 3))) == 2


MOMENT = datetime(2013, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        (pa.array([1357095845678]), "ms"),
        (pa.array([1357095845678000]), "us"),
        (pa.array([1357095845678000999]), "ns"),
        (pa.array([1357095845.678]), "s"),
        (pa.array([1357095845678.0004]), "ms"),
        (pa.array([1357095845678000.0]), "us"),
        (pa.array([1357095845678000000.0]), "ns"),
        (pa.array([Decimal("1357095845.678")]), "s"),
        (pa.array([MOMENT]), None),
        (pa.array([MOMENT], pa.timestamp("ns", "America/New_York")), None),
        (pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("ms")), None),
        (pa.array(["2013-01-02T03:04:05.678Z"]), None),
        (pa.array(["2013-01-02T03:04:05.678"]), None),
        (pa.array(["2013-01-02T04:04:05.678+01:00"]), None),
    ],
)
def test_every_form_of_timestamp_means_the_same(tmp_path, column, unit):
    """Numbers with a unit, timestamps of any unit and zone, and ISO texts are microseconds since the epoch."""
    dataset = dataset_of(tmp_path, {"time": column, "label": [0]}, unit=unit)
    assert dataset.timestamps_us(0, 1).tolist() == [1357095845678000]


@pytest.mark.parametrize("second", ["1700000000", "1700000000.25"])
def test_seconds_may_be_whole_in_one_file_and_fractions_in_the_next(tmp_path, second):
    """As where a clock's fraction happened to be zero in all rows of a text file."""
    for number, text in enumerate(("1700000000", second)):
        (tmp_path / f"{number}.csv").write_text(f"time,label\n{text},0\n")
    config = config_of(tmp_path)
    dataset = open_dataset(config, discover(config, str(tmp_path / "runs")))
    assert dataset.timestamps_us(0, 2).tolist() == [1700000000000000, round(float(second) * 1e6)]


@pytest.mark.parametrize("time", [[1, None], [1.0, NAN]])
def test_a_null_timestamp_is_told_with_its_place(tmp_path, time):
    """Its key and its file; NaN is a null."""
    dataset = dataset_of(tmp_path, {"time": time, "label": [0, 1]})
    with pytest.raises(DataError, match=r"the timestamp in time of key 1 in .*/0.parquet is (null|nan)\. Mend"):
        dataset.timestamps_us(0, 2)


@pytest.mark.parametrize("bad", [0, 4, 6])
def test_a_timestamp_that_cannot_be_read_is_told_with_its_own_key_file_and_value(tmp_path, bad):
    """Wherever among readable ones it stands; further ones behind it are not the first."""
    times = [f"2024-01-{day:02}" for day in range(1, 10)]
    times[bad] = times[8] = f"{bad}/1/2024"
    dataset = dataset_of(tmp_path, {"time": ["2023-12-31"], "label": [0]}, {"time": times, "label": [0] * 9}, unit=None)
    with pytest.raises(DataError) as told:
        dataset.timestamps_us(0, 10)
    where = f"of key {bad + 1} in {tmp_path}/data/1.parquet is '{bad}/1/2024', which is no ISO 8601 time such as 2024-"
    assert where in str(told.value)


def test_rewritten_file_is_refused(tmp_path):
    """A file of the same size with other bytes is not the file whose rows were given keys."""
    dataset = dataset_of(tmp_path, {"time": [1, 2], "label": [0, 1]})
    file = tmp_path / "data" / "0.parquet"
    body = bytearray(file.read_bytes())
    body[20] ^= 1
    file.write_bytes(body)
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        dataset.labels(0, 2)


def test_a_file_rewritten_after_it_was_read(tmp_path):
    """A process that has read the file before notices too."""
    dataset = dataset_of(tmp_path, {"time": [1, 2], "label": [0, 1]})
    assert dataset.labels(0, 2).tolist() == [0, 1]
    pq.write_table(pa.table({"time": [1, 2], "label": [1, 0]}), tmp_path / "data" / "0.parquet", row_group_size=4)
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        dataset.labels(0, 2)


def test_a_file_rewritten_while_it_is_read(tmp_path):
    """Rows of two versions never come in one reading, also where the file was verified just before."""
    rows = {"time": list(range(20)), "x": list(range(20)), "label": [0, 1] * 10}
    dataset = dataset_of(tmp_path, rows)
    pieces = dataset.batches(["x"], 0, 20, batch_rows=4)
    assert next(pieces)[1]["x"].to_pylist() == [0, 1, 2, 3]
    pq.write_table(pa.table({**rows, "x": list(range(20, 40))}), tmp_path / "data/0.parquet", row_group_size=4)
    with pytest.raises(DataError, match="has changed while it was read"):
        next(pieces)


def test_a_file_that_is_touched_while_it_is_read(tmp_path):
    """Its mode, its times and its links are none of the rows: backups, for one, change them."""
    dataset = dataset_of(tmp_path, {"time": list(range(20)), "x": list(range(20)), "label": [0, 1] * 10})
    pieces, path = dataset.batches(["x"], 0, 20, batch_rows=4), tmp_path / "data/0.parquet"
    for touch in (lambda: path.chmod(0o600), lambda: os.utime(path, (1, 1)), lambda: os.link(path, tmp_path / "copy")):
        next(pieces)
        touch()
    assert sum(rows.num_rows for _, rows in pieces) == 8


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([0.0, float("nan")], "of key 1 is nan"),
        (["0", "1"], "is string from key 0 on; numbers or texts are needed, of one kind in all files"),
        ([[0], [1]], "numbers or texts are needed"),
        (
            pa.array([0, 2**63], pa.uint64()),
            r"of key 1 in \S+0\.parquet is 9223372036854775808, which no int64 holds exactly",
        ),
    ],
)
def test_labels_that_are_no_numbers(tmp_path, labels, told):
    """NaN, text and lists are refused by key."""
    with pytest.raises(DataError, match=told):
        dataset_of(tmp_path, {"time": [1, 2], "label": labels}).labels(0, 2)


@pytest.mark.parametrize(
    ("column", "unit", "told"),
    [
        (pa.array([2**62]), "s", "with `unit: s` that is beyond the years 1 to 9999"),
        (pa.array([600_000_000_000]), "s", r"If that is the wrong unit, say `unit: ms` \(1989-01-05T10:40:00"),
        (pa.array([-(2**50)]), "ms", "is -1125899906842624; with `unit: ms` that is beyond"),
        (pa.array([2**63], pa.uint64()), "s", "is 9223372036854775808; with `unit: s` that is beyond"),
        (pa.array([2**50], pa.timestamp("ms")), None, "is beyond the years 1 to 9999"),
        (pa.array([1.0, float("inf")]), "s", r"of key 1 in .* is inf\. Mend the row"),
        (pa.array([1e300]), "ns", "is 1e\\+300; with `unit: ns` that is beyond the years 1 to 9999. Mend the row"),
        (pa.array([""]), None, "is '', which is no ISO 8601 time"),
        (pa.array([0]), None, "is 0, a number without a unit; say one of s, ms, us, ns as `unit:` in storage.data"),
        (pa.array([-1.5]), None, "is -1.5, a number without a unit; say one of s, ms, us, ns"),
    ],
)
def test_moments_that_cannot_be(tmp_path, column, unit, told):
    """Overflowing numbers, years beyond 9999, infinity and missing units are refused, never wrapped around."""
    dataset = dataset_of(tmp_path, {"time": column, "label": [0] * len(column)}, unit=unit)
    with pytest.raises(DataError, match=told):
        dataset.timestamps_us(0, len(column))


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (1704067200000000000, {"ns": "2024-01-01T00:00:00.000000Z"}),
        (
            1704067200.5,
            {"s": "2024-01-01T00:00:00.500000Z", "ms": "1970-01-20", "us": "1970-01-01", "ns": "1970-01-01"},
        ),
    ],
)
def test_a_number_without_a_unit_names_those_that_would_do(tmp_path, value, units):
    """Those in which it falls between 1970 and today, and when that would be."""
    dataset = dataset_of(tmp_path, {"time": [value], "label": [0]}, unit=None)
    with pytest.raises(DataError) as told:
        dataset.timestamps_us(0, 1)
    assert re.findall(r"`unit: (\w+)` \((.{10})", str(told.value)) == [(one, at[:10]) for one, at in units.items()]


def test_texts_with_and_without_a_zone_mix(tmp_path):
    """A text without a zone is UTC, also beside one with a zone."""
    texts = ["2013-01-02", "2013-01-02T00:00:00", "2013-01-02T01:00:00+01:00", "2013-01-02T00:00:00Z"]
    dataset = dataset_of(tmp_path, {"time": texts, "label": [0] * 4})
    assert set(dataset.timestamps_us(0, 4).tolist()) == {1357084800000000}


def test_csv_files_may_write_times_differently(tmp_path):
    """The first file's way of writing a time does not bind the others."""
    for number, text in enumerate(("2013-01-02T03:04:05Z", "2013-01-02T03:04:05.5", "2013-01-02")):
        (tmp_path / f"{number}.csv").write_text(f"time,label\n{text},0\n")
    config = config_of(tmp_path, unit=None)
    dataset = open_dataset(config, discover(config, str(tmp_path / "runs")))
    assert dataset.timestamps_us(0, 3).tolist() == [1357095845000000, 1357095845500000, 1357084800000000]


def test_missing_column(tmp_path):
    """A later file without a column is named."""
    dataset = dataset_of(tmp_path, {"time": [1], "x": [1], "label": [0]}, {"time": [2], "label": [1]})
    with pytest.raises(DataError, match=r"1\.parquet"):
        list(dataset.batches(["x"], 0, 2))


@given(st.lists(st.integers(-50, 50), min_size=1), st.none() | st.integers(-50, 50))
def test_event_time_is_the_running_maximum(times, so_far):
    """Event time never goes back, and starts where it was."""
    expected, highest = [], -100 if so_far is None else so_far
    for time in times:
        highest = max(highest, time)
        expected.append(highest)
    assert running_event_time(np.array(times), so_far).tolist() == expected


@pytest.mark.parametrize(("after_us", "key"), [(-1, 2), (30_000_000, 4), (35_000_000, 4), (10**9, 18)])
def test_first_key_after(twenty, after_us, key):
    """The first row later than a moment, else the end of the range."""
    assert first_key_after(twenty, after_us, 2, 18) == key


def test_a_replaced_file_has_the_columns_that_it_has_now(tmp_path):
    """Under a new name, as errors advise, a dataset is read anew, also in a process that knew the file before."""
    before = dataset_of(tmp_path, {"time": [1, 2], "x": [1.0, 2.0], "label": [0, 1]})
    assert before.feature_columns == ("x",)
    pq.write_table(pa.table({"time": [1, 2], "z": ["a", "b"], "label": [0, 1]}), tmp_path / "data" / "0.parquet")
    config = config_of(tmp_path / "data", name="flights_2")
    after = open_dataset(config, discover(config, str(tmp_path / "runs")))
    assert after.feature_columns == ("z",)
    assert [piece["z"].to_pylist() for _, piece in after.batches(["z"], 0, 2)] == [["a", "b"]]


def test_columns_are_never_those_of_other_contents(tmp_path):
    """A file that was written over since it was found is refused, and has its own columns when it is restored."""
    file = tmp_path / "rows.csv"
    file.write_text("time,x,label\n1,2,0\n")
    config = config_of(file)
    entries = discover(config, str(tmp_path / "runs"))
    file.write_text("time,z,label\n1,2,0\n")
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        open_dataset(config, entries)
    file.write_text("time,x,label\n1,2,0\n")
    assert open_dataset(config, entries).feature_columns == ("x",)


def test_a_mended_file_has_its_new_columns(tmp_path):
    """Types, too, are those of the contents that the manifest names now."""
    for label in ("0", "0.5"):
        (tmp_path / "a.csv").write_text(f"time,label\n1,{label}\n")
        (tmp_path / "runs/datasets/flights.jsonl").unlink(missing_ok=True)
        config = config_of(tmp_path)
        dataset = open_dataset(config, discover(config, str(tmp_path / "runs")))
        assert dataset.labels(0, 1).tolist() == [float(label)]
