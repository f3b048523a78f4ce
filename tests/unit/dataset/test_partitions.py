"""What the names of folders say of rows is a column of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Split
from shared.config.system import Dataset
from shared.dataset.discovery import discover, find
from shared.dataset.problems import problems
from shared.dataset.table import TableDataset, open_dataset
from workers.evaluation.counted import split_mask


def opened(root: Path, end: str = "", **changes: Any) -> TableDataset:
    """The dataset in the folder `data`."""
    values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
    config = Dataset(**{"name": "rows", "kind": "table", "uri": f"{root}/data{end}", **values, **changes})
    dataset = open_dataset(config, discover(config, str(root / "runs")))
    assert problems(dataset) == []
    return dataset


def put(path: Path, *labels: int, **columns: Any) -> None:
    """A Parquet file, or one of CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"time": [1] * len(labels), **columns, "label": labels})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        path.write_text("time,label\n" + "".join(f"1,{label}\n" for label in labels))


def column(dataset: TableDataset, name: str) -> list[Any]:
    """A column of all rows, with the labels beside it."""
    found = [piece for _, piece in dataset.batches([name], 0, dataset.rows)]
    both = [piece for _, piece in dataset.batches(["label", name], 0, dataset.rows)]
    assert [piece[name] for piece in both] == [piece[name] for piece in found]
    return [value for piece in found for value in piece[name].to_pylist()]


@pytest.mark.parametrize("end", ["", "/*/*/*", "/day=*"])
def test_folders_are_columns(tmp_path: Path, end: str) -> None:
    """Whole numbers and texts, each level a column, in each format; of a folder with another name none."""
    for day in ("2023-11-14", "2023-11-15"):
        put(tmp_path / f"data/day={day}/hour=07/a.parquet", 0, 1)
        put(tmp_path / f"data/day={day}/hour=12/b.csv", 1)
    dataset = opened(tmp_path, end)
    assert dataset.feature_columns == ("day", "hour")
    assert column(dataset, "day") == ["2023-11-14"] * 3 + ["2023-11-15"] * 3
    assert column(dataset, "hour") == [7, 7, 12] * 2
    assert dataset.labels(0, 6).tolist() == [0, 1, 1] * 2


def test_what_stands_in_the_file_counts(tmp_path: Path) -> None:
    """A folder's name never replaces what a row says."""
    put(tmp_path / "data/x=7/a.parquet", 0, 1, x=[1, 2])
    assert column(opened(tmp_path), "x") == [1, 2]


def test_what_other_tools_write(tmp_path: Path) -> None:
    """Names and values with signs of their own, and values that are not there."""
    table = pa.table({"time": [1] * 3, "label": [0, 1, 0], "a b": ["x/y", "ö =", None]})
    schema = pa.schema([("a b", pa.string())])
    pa_dataset.write_dataset(
        table, tmp_path / "data", format="parquet", partitioning=pa_dataset.partitioning(schema, flavor="hive")
    )
    assert sorted(column(opened(tmp_path), "a b"), key=str) == [None, "x/y", "ö ="]


def test_a_split_by_a_folder(tmp_path: Path) -> None:
    """Its rows stay together."""
    for user in range(40):
        put(tmp_path / f"data/user={user}/a.csv", 0, 1)
    mask = split_mask(opened(tmp_path), 0, 80, "test", Split(test=0.5, validation=0.0, by="user"))
    assert set(mask[::2]) == {True, False}
    assert (mask[::2] == mask[1::2]).all()


def looked_at(root: Path, names: list[str], **changes: Any) -> tuple[dict[str, str], list[Any]]:
    """What is told of folders that come one by one, behind those of the first name, parted by blanks; what is read."""
    for look in names:
        for text in look.split():
            put(root / f"data/m={text}/a.parquet", 0)
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        config = Dataset(**{"name": "rows", "kind": "table", "uri": f"{root}/data", **values, **changes})
        found = find(config, str(root / "runs"), ())
    told = {Path(file).parent.name[2:]: one.sentences[0] for file, one in found.misfits.items()}
    return told, column(open_dataset(config, found.entries), "m")


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (["a", "7", "07"], ["a", "7", "07"]),
        (["01234 1234"], ["01234", "1234"]),
        (["1 9021A", "17"], ["1", "9021A", "17"]),
        (["10 11 12", "01", "100"], [10, 11, 12, 1, 100]),
        (["01 02", "12", "__HIVE_DEFAULT_PARTITION__"], [1, 2, 12, None]),
        (["9 10", "-3"], [10, 9, -3]),
        (["__HIVE_DEFAULT_PARTITION__", "x", "7"], [None, "x", "7"]),
    ],
)
def test_what_is_found_first_says_what_folders_hold(tmp_path: Path, names: list[str], read: list[Any]) -> None:
    """Whole numbers, if all of them are such and none is two of the names; else texts, as all others are then."""
    assert looked_at(tmp_path, names) == ({}, read)


@pytest.mark.parametrize("names", [["10", "9021A"], ["01234", "1234"], ["7", "07"]])
def test_a_folder_that_cannot_be_among_numbers(tmp_path: Path, names: list[str]) -> None:
    """Its rows are left out, and a remedy is told that helps."""
    told, read = looked_at(tmp_path, names)
    assert read == [int(names[0])]
    assert "give the dataset a new name: then all folders are found together" in told[names[1]]
    read = column(opened(tmp_path, name="other"), "m")
    assert sorted(read) == sorted(names)


def test_a_folder_of_digits_beside_texts_in_a_file(tmp_path: Path) -> None:
    """Is a text, too."""
    put(tmp_path / "data/a.parquet", 0, m=["x"])
    put(tmp_path / "data/m=7/a.parquet", 0)
    assert column(opened(tmp_path), "m") == ["x", "7"]
