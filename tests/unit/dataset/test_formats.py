"""Formats by the names of files: which one a file is of, and which files of a folder are data."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.dataset.files import count_rows, list_files, schema_of
from shared.dataset.formats import format_of, is_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three rows in each of the ways they may be written, and what is no data."""
    pq.write_table(pa.table({"x": [1, 2, 3]}), tmp_path / "A.PARQUET")
    (tmp_path / "b.csv").write_text("x\n1\n2\n3\n")
    (tmp_path / "c.Csv.gz").write_bytes(gzip.compress(b"x\n1\n2\n3\n"))
    (tmp_path / "notes.txt").write_text("x\n")
    return tmp_path


def test_a_folder_is_read_by_suffixes_in_any_case(folder: Path) -> None:
    """What is compressed is data, too; what has no suffix of a format is none."""
    names = [Path(name).name for name, _ in list_files(str(folder))]
    assert names == ["A.PARQUET", "b.csv", "c.Csv.gz"]
    assert not is_data("notes.txt")


@pytest.mark.parametrize(("name", "title"), [("A.PARQUET", "Parquet"), ("b.csv", "CSV"), ("c.Csv.gz", "CSV")])
def test_each_is_read_in_its_format(folder: Path, name: str, title: str) -> None:
    """Rows and columns are those that were written."""
    uri = str(folder / name)
    assert format_of(name).title == title
    assert schema_of(uri, uri).names == ["x"]
    assert count_rows(uri, uri) == 3


def test_a_name_that_says_nothing_is_taken_for_parquet() -> None:
    """As in a glob over files that some tool wrote."""
    assert format_of("part-00000").title == "Parquet"
