"""Formats by the names of files: which one a file is of, and which files of a folder are data."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packages import install

from shared.config.system import Dataset
from shared.dataset.files import count_rows, schema_of
from shared.dataset.formats import format_of, is_data
from shared.dataset.listing import look
from shared.errors import ConfigurationError
from shared.plugins import FORMATS, Plugins

OWN = {"parquet": "shared.dataset.formats.parquet:Parquet", "csv": "shared.dataset.formats.csv:Csv"}


def dataset_at(uri: str) -> Dataset:
    """One whose columns are of no matter."""
    return Dataset(
        name="rows",
        kind="table",
        uri=uri,
        timestamp="time",
        unit="s",
        label="label",
        features=None,
        image=None,
        text=None,
    )


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
    names = [Path(name).name for name in look(str(folder)).files]
    assert names == ["A.PARQUET", "b.csv", "c.Csv.gz"]
    assert not is_data("notes.txt")


@pytest.mark.parametrize(("name", "title"), [("A.PARQUET", "Parquet"), ("b.csv", "CSV"), ("c.Csv.gz", "CSV")])
def test_each_is_read_in_its_format(folder: Path, name: str, title: str) -> None:
    """Rows and columns are those that were written."""
    uri = str(folder / name)
    assert format_of(name).title == title
    assert schema_of(uri, dataset_at(uri)).names == ["x"]
    assert count_rows(uri, dataset_at(uri)) == 3


def test_a_name_that_says_nothing_is_taken_for_parquet() -> None:
    """As in a glob over files that some tool wrote."""
    assert format_of("part-00000").title == "Parquet"


def beside_ours(folder: Path, **suffixes: str) -> Plugins[type]:
    """Formats of others, by their names, each of a package of its own with these suffixes."""
    for name, written in suffixes.items():
        code = (
            f"class Mine:\n    title = '{name}'\n    suffixes = {written}\n    schema = count_rows = batches = None\n"
        )
        install(folder, f"format_{name}", FORMATS.group, {name: "Mine"}, code)
    return Plugins(FORMATS.group, FORMATS.base, OWN)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_our_suffixes_are_ours(elsewhere: Path) -> None:
    """No package takes over the files of pipelines that do not know of it, also by a longer suffix."""
    formats = beside_ours(elsewhere, grabbing="('.csv', '.geo.csv', '.PARQUET', '.geo')")
    assert [format_of(name, formats).title for name in ("a.csv", "a.geo.csv", "a.parquet")] == ["CSV", "CSV", "Parquet"]
    assert format_of("a.GEO", formats).title == "grabbing"


def test_the_longest_suffix_says_the_format(elsewhere: Path) -> None:
    """Whatever the formats are called, and in whatever order they were installed."""
    formats = beside_ours(elsewhere, any_json="('.json',)", geo_json="('.Geo.json',)", z_json="('.z.json',)")
    titles = [format_of(name, formats).title for name in ("a.json", "a.geo.json", "a.z.json")]
    assert titles == ["any_json", "geo_json", "z_json"]


def test_a_suffix_of_two_packages_is_refused(elsewhere: Path) -> None:
    """Both are named; files of other names are read as ever."""
    formats = beside_ours(elsewhere, one_avro="('.avro',)", two_avro="('.x', '.avro')")
    assert is_data("a.x", formats)
    with pytest.raises(ConfigurationError) as caught:
        is_data("a.avro", formats)
    assert str(caught.value) == (
        "one_avro (modyn.formats, format_one_avro:Mine of format_one_avro) and two_avro (modyn.formats, "
        "format_two_avro:Mine of format_two_avro) both read files named *.avro. Uninstall one of them."
    )


def test_a_broken_format_is_nothing_to_files_of_ours(elsewhere: Path) -> None:
    """It is imported, and refused by name, only where a name is none of ours."""
    formats = beside_ours(elsewhere, broken="no_such_name")
    assert is_data("a.csv", formats)
    assert format_of("a.parquet", formats).title == "Parquet"
    with pytest.raises(ConfigurationError, match="of format_broken\\) cannot be imported: NameError"):
        is_data("a.avro", formats)


def test_suffixes_that_are_none(elsewhere: Path) -> None:
    """One text for a tuple of them would have matched by its letters."""
    formats = beside_ours(elsewhere, lettered="'.lettered'")
    with pytest.raises(ConfigurationError, match="has suffixes = '.lettered', which is no tuple of texts"):
        is_data("notes.txt", formats)
