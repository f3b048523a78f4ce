"""A column may be written in a wider type from some file on: rows are read, split and scored as if it always were."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Named, Split
from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.problems import problems
from shared.dataset.table import open_dataset
from tests.support.selecting import select
from workers.evaluation.counted import split_mask
from workers.features.encoder import fit_encoder
from workers.features.matrix import encode_rows
from workers.selection.known import Known

HALF = Split(test=0.5, validation=0.0, by="x")


class Growing:
    """A dataset of files that come one by one; column x is what it is about."""

    def __init__(self, folder):
        self._folder, self._scratch, self._files = folder / "data", folder / "scratch", 0
        self._folder.mkdir()
        self._runs = str(folder / "runs")

    def add(self, x, kind="parquet"):
        """One more file."""
        table = pa.table({"time": range(len(x)), "x": x, "label": [0] * len(x)})
        path = self._folder / f"{self._files}.{kind}"
        pq.write_table(table, path) if kind == "parquet" else pa_csv.write_csv(table, path)
        self._files += 1

    def found(self):
        """The dataset as far as it has come."""
        config = Dataset(
            name="rows", kind="table", uri=str(self._folder), timestamp="time", unit="s", label="label",
            features=("x",), image=None, text=None,
        )  # fmt: skip
        dataset = open_dataset(config, discover(config, self._runs))
        assert problems(dataset, ("x",)) == []
        return dataset

    def values(self):
        """Column x of all rows."""
        dataset = self.found()
        return [value for _, piece in dataset.batches(["x"], 0, dataset.rows) for value in piece["x"].to_pylist()]

    def scored_rows(self):
        """Which rows a window over the test split scores."""
        dataset = self.found()
        return split_mask(dataset, 0, dataset.rows, "test", HALF).tolist()

    def trained_rows(self):
        """Which rows a strategy is given."""
        dataset = self.found()
        known = Known(
            first_key=0, previous=(), trigger_id=0, trigger_key=dataset.rows - 1, labelled_key=dataset.rows - 1
        )
        keys = select(Named(name="all_data", options={}), known, dataset, HALF).keys
        return np.isin(np.arange(dataset.rows), keys).tolist()

    def encoded(self):
        """All rows as a model gets them."""
        dataset = self.found()
        keys = np.arange(dataset.rows)
        encoder = fit_encoder(dataset, keys, 8)
        rows = encode_rows(dataset, keys, encoder, lambda values, _: values.to_numpy(), self._scratch)
        return rows.features.numpy().tolist()


@pytest.fixture
def growing(tmp_path):
    """One without files."""
    return Growing(tmp_path)


NUMBERS = list(range(-20, 20))
TEXTS = [f"customer {number}" for number in NUMBERS]
WIDENINGS = [
    (pa.array(NUMBERS), pa.array(NUMBERS, pa.float64())),
    (pa.array(NUMBERS, pa.float64()), pa.array(NUMBERS)),
    (pa.array(NUMBERS, pa.int32()), pa.array(NUMBERS, pa.int64())),
    (pa.array(NUMBERS, pa.int8()), pa.array(NUMBERS).cast(pa.decimal128(21, 2))),
    (pa.array(NUMBERS, pa.float32()), pa.array(NUMBERS, pa.float64())),
    (pa.array(TEXTS).dictionary_encode(), pa.array(TEXTS)),
    (pa.array(TEXTS), pa.array(TEXTS, pa.large_string()).dictionary_encode()),
    (pa.array(TEXTS), pa.array(TEXTS, pa.large_string())),
    (pa.array(TEXTS), pa.array(TEXTS, pa.string_view())),
    (pa.array(TEXTS, pa.string_view()), pa.array(TEXTS).dictionary_encode()),
    (pa.array(NUMBERS), pa.array(NUMBERS).dictionary_encode()),
]


def name_of(types):
    """The test's name."""
    return str(types.type).split("<")[0]


@pytest.mark.parametrize(("before", "after"), WIDENINGS, ids=name_of)
def test_a_group_is_in_one_split(growing, before, after):
    """Rows of one value are together, in windows and in training sets, whatever types they are written in."""
    growing.add(before)
    first = growing.scored_rows()
    assert set(first) == {True, False}
    growing.add(after)
    assert growing.scored_rows() == first + first
    assert growing.trained_rows() == [not chosen for chosen in first + first]


@pytest.mark.parametrize(("before", "after"), WIDENINGS, ids=name_of)
def test_a_feature_is_the_same_number(growing, before, after):
    """Equal values are encoded alike in all files."""
    growing.add(before)
    growing.add(after)
    rows = growing.encoded()
    assert rows[: len(NUMBERS)] == rows[len(NUMBERS) :]
    assert growing.values() == before.to_pylist() * 2


@pytest.mark.parametrize("kinds", [("csv", "csv"), ("parquet", "csv"), ("csv", "parquet")])
@pytest.mark.parametrize(
    ("before", "after"), [([1, 2], [1.5, 2.0]), ([1.5, 2.0], [1, 2]), ([True, False], [1, 2]), ([1, 2], [True, False])]
)
def test_numbers_widen_in_text_files_too(growing, kinds, before, after):
    """A CSV file says no types; its numbers are never refused for those of the first file."""
    growing.add(before, kinds[0])
    growing.add(after, kinds[1])
    growing.add(before, kinds[1])
    assert growing.values() == before + after + before


def test_whole_numbers_become_larger_in_a_text_file(growing):
    """Also beyond what the type of the first file can hold, and behind the first lines."""
    growing.add(pa.array([1], pa.int16()))
    many = [1] * 150_000 + [2**40]  # more than is looked at for the types
    growing.add(many, "csv")
    assert growing.values() == [1, *many]


def test_a_first_file_of_nulls_in_a_column(growing):
    """What comes later gives the column its type and its scale."""
    growing.add(pa.nulls(2))
    growing.add([1, 3])
    growing.add([1.0, 3.0])
    assert growing.encoded() == [[0.0], [0.0], [-1.0], [1.0], [-1.0], [1.0]]


def test_a_file_of_nulls_in_a_column(growing):
    """Nulls are filled in, whatever type they have in their file."""
    growing.add([1, 3])
    growing.add(pa.nulls(2))
    assert growing.encoded() == [[-1.0], [1.0], [0.0], [0.0]]
