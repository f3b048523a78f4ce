"""Before a run people see which columns hold nulls, what becomes of these, and which columns say nothing at first."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.system import Dataset, ImageColumn, Nulls
from shared.dataset.column_survey import remarks, survey
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset

NAN = float("nan")


@pytest.fixture
def of(tmp_path):
    """A dataset of files with these columns."""

    def dataset_of(*files, **changes):
        for number, columns in enumerate(files):
            rows = len(next(iter(columns.values())))
            table = pa.table({"time": range(rows), "label": [0] * rows, **columns})
            pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=3)
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        config = Dataset(**{"name": "rows", "kind": "table", "uri": str(tmp_path), **values, **changes})
        return open_dataset(config, discover(config, str(tmp_path / "runs")))

    return dataset_of


def test_nothing_is_said_of_columns_that_are_as_they_should_be(of):
    """Neither of one that begins with some alike."""
    assert list(remarks(of({"x": [*[1] * 19, *range(20)], "origin": ["LGA"] * 39}))) == []


def test_nulls_are_shown_with_what_becomes_of_them(of):
    """Across files; a NaN is a null."""
    first = {"x": [1.0, NAN, 2.0], "origin": ["LGA", "EWR", "JFK"], "label": [0, None, 1]}
    second = {"x": [None, 4.0], "origin": ["LGA", None], "label": [0, 1]}
    x, origin, label = remarks(of(first, second, nulls=Nulls(labels="drop")))
    assert x == "x: 2 of 5 rows are null; a null becomes the mean of the training set that fits the encoder"
    assert origin == "origin: 1 of 5 rows are null; a null becomes all zero, as an unknown category"
    assert label == "label: 1 of 5 rows are null; they are neither selected nor scored"
    (told, *_) = remarks(of(first, nulls=Nulls(labels="drop", indicator=True)))
    assert told.endswith("fits the encoder, and is a feature of its own")


def test_nulls_of_an_image_and_of_a_text(of):
    """They have no mean."""
    columns = {"picture": [b"1", None], "note": [None, "a"]}
    image = ImageColumn(column="picture", shape=(1, 1, 1))
    assert list(remarks(of(columns, image=image))) == ["picture: 1 of 2 rows are null; such an image is black"]
    assert list(remarks(of(columns, text="note"))) == ["note: 1 of 2 rows are null; such a text is empty"]


@pytest.mark.parametrize(("z", "same"), [([NAN, *[5.0] * 20, None, 7.0], 22), ([5] * 23, 23)])
def test_a_column_that_is_constant_at_first(of, z, same):
    """Its value, and for how many rows; nulls do not vary. The label may be what it likes."""
    line = list(remarks(of({"z": z[:4]}, {"z": z[4:]})))[-1]
    value = 5 if same == 23 else 5.0
    assert line == f"z: {value} in the first {same} of 23 rows; a model learns nothing of a column until it varies"


def test_categories_that_come_late_are_shown(of):
    """The commonest by name, where they are more than five in a hundred rows; a null is none."""
    early, late = ["A", "B"] * 10, ["C", None, "D", "C"]
    line = list(remarks(of({"region": early[:7]}, {"region": [*early[7:], *late]})))[-1]
    assert line.startswith("region: 3 of 24 rows have a category that first comes when a tenth of the rows is over: ")
    assert "'C' 2, 'D' 1; a model that goes on from one before it does not know it" in line


def test_few_rows_of_late_categories_are_not_worth_a_line(of):
    """The log of a run says them."""
    assert list(remarks(of({"region": ["A", "B"] * 10}, {"region": ["C", *["A"] * 3]}))) == []


def test_a_column_without_values(of):
    """It is all null, and not constant."""
    dataset = of({"x": pa.array([None, None], pa.float64())})
    assert (survey(dataset)["x"].nulls, len(list(remarks(dataset)))) == (2, 1)
