"""What keeps a dataset from being used is told before a run, file and column by name."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.problems import problems
from shared.dataset.table import open_dataset
from shared.errors import DataError

GOOD = {"time": [1, 2], "x": [0.5, 1.5], "label": [0, 1]}


@pytest.fixture
def found(tmp_path):
    """The problems of a dataset of these files: a table, or the text of a CSV file."""

    def problems_of(*files, also=(), **changes):
        for number, content in enumerate(files):
            if isinstance(content, bytes):
                (tmp_path / f"{number}.csv").write_bytes(content)
            else:
                table = content if isinstance(content, pa.Table) else pa.table(content)
                pq.write_table(table, tmp_path / f"{number}.parquet")
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        config = Dataset(**{"name": "rows", "kind": "table", "uri": str(tmp_path), **values, **changes})
        dataset = open_dataset(config, discover(config, str(tmp_path / "runs")))
        return [problem.replace(f"{tmp_path}/", "") for problem in problems(dataset, also)]

    return problems_of


def test_a_good_dataset(found):
    """Nothing is wrong with files whose numbers are written in different types."""
    assert found(GOOD, {**GOOD, "x": [1, 2], "label": [True, False]}) == []


def test_labels_that_are_texts(found):
    """Nothing is wrong with them, in any type."""
    words = {**GOOD, "label": ["no", "yes"]}
    assert found(words, {**GOOD, "label": pa.array(["no", "so"]).dictionary_encode()}) == []


def test_a_text_label_that_is_not_there(found):
    """It is found by file and key, unless it is dropped."""
    files = ({**GOOD, "label": ["no", "yes"]}, {**GOOD, "label": ["no", None]})
    (problem,) = found(*files)
    assert "the label in label of key 3 is null, in 1.parquet" in problem
    assert found(nulls=Nulls(labels="drop")) == []


def test_no_file_and_no_row(found):
    """An empty folder and empty files are told apart."""
    assert "no file matches" in found()[0]
    assert "holds no rows" in found(pa.table(GOOD).slice(0, 0))[0]


def test_an_empty_file_among_others(found):
    """A file without rows is no mistake."""
    assert found(GOOD, pa.table(GOOD).slice(0, 0), GOOD) == []


def test_a_column_that_a_later_file_lacks(found):
    """Every file is looked at, not only the first."""
    (problem,) = found(GOOD, {"time": [3], "X": [1.0], "label": [0]})
    assert problem == "dataset rows: 1.parquet has no column x; did you mean X?"


def test_a_column_of_another_kind_in_a_later_file(found):
    """Text where the first file has numbers is told with both files."""
    (problem,) = found(GOOD, {**GOOD, "x": ["a", "b"]})
    assert problem == (
        "dataset rows: x is string in 1.parquet, but double in 0.parquet; give it one type in all files."
    )


@pytest.mark.parametrize("here", [["2013-01-02", "2013-01-03"], pa.array([15707, 15708], pa.date32())])
def test_a_group_by_moments_written_in_two_ways(found, here):
    """What keeps rows together has one text for each value: a moment has another one in each way to write it."""
    moments = pa.array([15707 * 86_400, 15708 * 86_400], pa.timestamp("s"))
    (problem,) = found({**GOOD, "day": moments}, {**GOOD, "day": here}, features=("x",), also=("day",))
    assert "give it one type in all files" in problem


@pytest.mark.parametrize("here", [["2013-01-02", "2013-01-03"], pa.array([15707, 15708], pa.date32())])
def test_timestamps_may_be_written_in_several_ways(found, here):
    """They are moments however they are written."""
    moments = pa.array([15707 * 86_400, 15708 * 86_400], pa.timestamp("s"))
    assert found({**GOOD, "time": moments}, {**GOOD, "time": here}, unit=None) == []


@pytest.mark.parametrize("here", [pa.array([15707, 15708], pa.date32()), pa.array([1, 2], pa.timestamp("ms"))])
def test_moments_among_the_features_may_be_written_in_several_ways(found, here):
    """They are the same numbers."""
    moments = pa.array([15707 * 86_400, 15708 * 86_400], pa.timestamp("s"))
    assert found({**GOOD, "day": moments}, {**GOOD, "day": here}) == []


def test_two_columns_of_one_name(found):
    """Nobody can say which of the two is meant."""
    table = pa.Table.from_arrays([pa.array(one) for one in ([1], [1.0], [2.0], [0])], names=["time", "x", "x", "label"])
    assert found(table) == ["dataset rows: 0.parquet has 2 columns x; rename all but one."]


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([1.5, float("inf")], "the timestamp in time of key 1 in 0.parquet is inf"),
        ([True, False], "time is bool; a timestamp, ISO text or number is needed."),
        (pa.array([1, 2], pa.int32()).cast(pa.time32("s")), "time is time32"),
        (pa.array([1, 2]).cast(pa.duration("s")), "time is duration[s]"),
        ([None, 1], "the timestamp in time of key 0 in 0.parquet is null"),
        (["yesterday", "today"], "key 0 in 0.parquet is 'yesterday', which is no ISO 8601 time"),
    ],
)
def test_timestamps_that_are_none(found, times, told):
    """Types and values that are no moment are found before anything runs."""
    (problem,) = found({**GOOD, "time": times})
    assert told in problem


@pytest.mark.parametrize("first", [1704067200000, 1704067200000.0])
def test_numbers_need_a_unit(found, first):
    """They may be seconds or milliseconds: those that would do are offered, beside what else is wrong."""
    problem, other = found({**GOOD, "time": [first, first], "x": [[1], [2]]}, unit=None)
    assert f"row 1 in 0.parquet is {first}, a number without a unit; say `unit: ms` (2024-01-01T00:00:00" in problem
    assert "feature x" in other


@pytest.mark.parametrize("label", [[0, None], [0.0, float("nan")]])
def test_labels_that_are_missing(found, label):
    """Null and NaN labels that are there from the start are told by key."""
    (problem,) = found(GOOD, {**GOOD, "label": label})
    assert "the label in label of key 3 is" in problem
    assert "in 1.parquet" in problem
    assert "`nulls: {labels: drop}`" in problem


def test_nulls_that_are_not_refused(found):
    """Features are filled in by default, and rows without a label may be dropped."""
    assert found({**GOOD, "x": [None, 1.5], "label": [0, None]}, nulls=Nulls(labels="drop")) == []


def test_a_first_file_of_nulls_alone(found):
    """They are taken for numbers, so that texts in a later file do not fit."""
    nulls = {**GOOD, "x": pa.nulls(2)}
    (problem,) = found(nulls, GOOD, {**GOOD, "x": ["a", "b"]})
    assert "x is string in 2.parquet, but 0.parquet holds nulls alone" in problem


def test_a_first_file_of_nulls_alone_where_they_are_refused(found):
    """Their type is told."""
    (problem,) = found({**GOOD, "x": pa.nulls(2)}, GOOD, nulls=Nulls(features="refuse"))
    assert "feature x is null" in problem


def test_nulls_that_are_refused(found):
    """Each with its file, key and column."""
    (problem,) = found(GOOD, {**GOOD, "x": [0.5, None]}, nulls=Nulls(features="refuse"))
    assert problem.startswith("dataset rows: the feature x of key 3 is null, in 1.parquet.")


def test_features_that_are_neither_numbers_nor_texts(found):
    """A list is no feature of a table."""
    (problem,) = found({**GOOD, "x": [[1], [2]]})
    assert "feature x is list" in problem


def test_csv_that_is_not_utf8(found):
    """A header in another encoding is told, with the file."""
    with pytest.raises(DataError, match=r"the columns of .*0\.csv cannot be read"):
        found("time,größe,label\n1,2,0\n".encode("latin-1"))
