"""A file is judged when it is found: what does not fit gets no keys, and what else is there is read all the same."""

from __future__ import annotations

import errno
import gzip
import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover, find
from shared.dataset.manifest import manifest_path, read_manifest, restore_manifest
from shared.errors import DataError, PlaceError

GOOD = {"time": [1, 2], "x": [0.5, 1.5], "label": [0, 1]}


_listeners: list[set[str]] = []
sys.addaudithook(lambda event, told: [one.add(Path(str(told[0])).name) for one in _listeners if event == "open"])


@contextmanager
def opened():
    """The names of the files that are opened meanwhile."""
    names: set[str] = set()
    _listeners.append(names)
    try:
        yield names
    finally:
        _listeners.remove(names)


class Folder:
    """A dataset's folder, and what a look at it finds."""

    def __init__(self, root):
        self.path, self.artifacts = root / "data", str(root / "runs")
        self.path.mkdir()

    def write(self, name, content):
        """A table as Parquet, or the bytes of a file."""
        path = self.path / name
        path.write_bytes(content) if isinstance(content, bytes) else pq.write_table(pa.table(content), path)

    def find(self, also=(), **changes):
        """What is found by a run of these settings."""
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        values = {"uri": str(self.path), **values, **changes}
        return find(Dataset(**{"name": "rows", "kind": "table", **values}), self.artifacts, also)

    def misfits(self, **changes):
        """File name → why it has no keys, and the sentences, without the folder."""
        found = self.find(**changes).misfits
        return {
            Path(file).name: (one.why, " ".join(one.sentences).replace(f"{self.path}/", ""))
            for file, one in found.items()
        }

    @property
    def keyed(self):
        """The files that have keys."""
        return [Path(one.file).name for one in read_manifest(manifest_path(self.artifacts, "rows"))]


@pytest.fixture
def folder(tmp_path):
    """With one file that fits."""
    one = Folder(tmp_path)
    one.write("a.parquet", GOOD)
    return one


@pytest.mark.parametrize(
    ("name", "content", "why", "told"),
    [
        ("b.parquet", b"PAR1 half", "unreadable", "b.parquet is not a readable Parquet file"),
        ("b.parquet", bytes(100_000), "unreadable", "b.parquet is not a readable Parquet file"),
        ("b.parquet", b"", "unreadable", "b.parquet is not a readable Parquet file"),
        ("b.csv", b"", "unreadable", "b.csv is not a readable CSV file"),
        ("b.csv", b"time,x,label\n3,1.5\n", "unreadable", "b.csv is not a readable CSV file"),
        ("b.csv.gz", gzip.compress(b"time,x,label\n3,1.5,0\n" * 99, mtime=0)[:40], "unreadable", "b.csv.gz"),
        ("b.jsonl", b'{"time": 3, "x": 1.5, "lab', "unreadable", "b.jsonl is not a readable JSON lines file"),
        ("b.csv", b"time,x,label\n3,1.5,\n", "rows", "the label in label of row 1 is null, in b.csv. Mend that row"),
        (
            "b.csv",
            b"time,x,label\n3,1.5,0\n,2,1\n",
            "rows",
            "the timestamp in time of row 2 in b.csv is null. Mend that row",
        ),
        (
            "b.csv",
            "time,x,label\n3,ü,0\n".encode("latin-1"),
            "columns",
            "x is not UTF-8 in b.csv: row 1 is b'\\xfc'; if it is",
        ),
        ("b.parquet", {**GOOD, "x": ["a", "b"]}, "columns", "x is string in b.parquet, but double in a.parquet"),
        ("b.parquet", {"time": [3], "label": [0]}, "columns", "b.parquet has no column x; its columns are"),
        ("b.parquet", {**GOOD, "time": [3, None]}, "rows", "the timestamp in time of row 2 in b.parquet is null"),
        ("b.parquet", {**GOOD, "label": [float("nan"), 1.0]}, "rows", "the label in label of row 1 is nan"),
    ],
)
def test_a_file_that_does_not_fit_gets_no_keys(folder, name, content, why, told):
    """Whatever is wrong with it is said by file, column and row, and the others are read; mended, it gets the next."""
    folder.write(name, content)
    folder.write("c.parquet", GOOD)
    ((file, (reason, sentence)),) = folder.misfits().items()
    assert (file, reason, told in sentence) == (name, why, True), sentence
    assert "manifest" not in sentence
    assert folder.keyed == ["a.parquet", "c.parquet"]
    (folder.path / name).unlink()
    folder.write("b.parquet", GOOD)
    assert folder.misfits() == {}
    assert folder.keyed == ["a.parquet", "c.parquet", "b.parquet"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.parquet", {**GOOD, "x": [1, 2], "more": ["y", "z"]}),
        ("b.parquet", {"label": [True, False], "x": pa.array([1, 2], pa.decimal128(5, 2)), "time": [3, 4]}),
        ("b.csv", b"time,x,label\n"),
        ("b.csv", b"label,time,x\n0,3,\n"),
        ("b.jsonl", b""),
        ("b.jsonl", b'{"time": 3, "label": 1}\n{"label": 0, "time": 4, "y": 5}\n'),
    ],
)
def test_a_file_that_fits_after_widening_is_read(folder, name, content):
    """Other types of number, another order, columns that nobody asked for, no rows, and nulls that are filled in."""
    folder.write(name, content)
    assert folder.misfits() == {}
    assert folder.keyed == ["a.parquet", name]


def test_a_column_that_only_workers_read_is_read_before_there_are_keys(folder):
    """A footer that is whole says nothing of the pages: zeros among them are found while the file can be left out."""
    folder.write("b.parquet", {**GOOD, "x": [3.5, 4.5]})
    path = folder.path / "b.parquet"
    content, chunk = bytearray(path.read_bytes()), pq.ParquetFile(path).metadata.row_group(0).column(1)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    folder.write("b.parquet", bytes(content))
    ((why, sentence),) = folder.misfits().values()
    assert why == "unreadable"
    assert sentence.startswith("b.parquet cannot be read: ")
    assert sentence.endswith("Mend that file, or take the file away.")
    assert folder.keyed == ["a.parquet"]


@pytest.mark.parametrize("values", [[[1], [2]], [b"a", b"b"], [{"a": 1}, {"a": 2}]])
def test_a_column_of_nulls_alone_does_not_let_everything_in(tmp_path, values):
    """What is no feature in a first file is none in a later one."""
    folder = Folder(tmp_path)
    folder.write("a.parquet", {**GOOD, "y": pa.nulls(2)})
    folder.write("b.parquet", {**GOOD, "y": values})
    assert "but a.parquet holds nulls alone" in folder.misfits()["b.parquet"][1]
    assert "no feature is of that type" in folder.misfits()["b.parquet"][1]


def test_a_first_file_that_another_run_chose_may_lack_a_column(folder):
    """It has keys for ever: that is said, in the words in which each file's columns are."""
    assert folder.misfits() == {}
    folder.write("b.parquet", {**GOOD, "user": ["u", "v"]})
    for wanted in ({"also": ("user",)}, {"features": ("user",)}):
        ((file, (why, sentence)),) = folder.misfits(**wanted).items()
        assert (file, why, "a.parquet has no column user" in sentence) == ("b.parquet", "columns", True), sentence


def test_what_is_refused_is_what_the_settings_say(folder):
    """Nulls of features, or of labels; and the column that keeps rows together."""
    folder.write("b.parquet", {**GOOD, "x": [None, 1.0], "label": [0, None]})
    dropped = Nulls(labels="drop")
    assert "the label in label of row 2" in folder.misfits()["b.parquet"][1]
    assert (
        "the feature x of row 1 is null"
        in folder.misfits(nulls=Nulls(features="refuse", labels="drop"))["b.parquet"][1]
    )
    told = "has no column user, which data.split.by names; its columns are time, x, label."
    assert told in folder.misfits(nulls=dropped, also=("user",))["b.parquet"][1]
    assert folder.misfits(nulls=dropped) == {}


def test_a_first_file_is_judged_by_itself(tmp_path):
    """One that is bad is no measure for those behind it."""
    folder = Folder(tmp_path)
    folder.write("a.parquet", {**GOOD, "time": [[1], [2]]})
    folder.write("b.parquet", {**GOOD, "x": ["a", "b"]})
    folder.write("c.parquet", GOOD)
    assert list(folder.misfits()) == ["a.parquet", "c.parquet"]
    assert folder.keyed == ["b.parquet"]


def test_a_look_at_what_has_not_moved_reads_nothing(folder):
    """A bad file is read again when somebody has written to it, not at each look."""
    folder.write("b.parquet", {**GOOD, "label": [0, None]})
    folder.write("c.parquet", b"PAR1 half")
    told = folder.misfits()
    with opened() as files:
        assert folder.misfits() == told
    assert not {"b.parquet", "c.parquet"} & files
    folder.write("b.parquet", {**GOOD, "label": [0, None]})
    with opened() as files:
        assert folder.misfits() == told
    assert {"b.parquet", "c.parquet"} & files == {"b.parquet"}


def test_a_file_that_the_system_cannot_read_is_tried_at_each_look(folder):
    """What keeps it from being read lies outside of it, and may be gone without a trace in its times."""
    (folder.path / "b.csv").symlink_to("/proc/self/mem")  # which is there, and lets nobody look for its end
    ((why, sentence),) = folder.misfits().values()
    assert (why, "b.csv cannot be read: [Errno 22] Invalid argument" in sentence) == ("unreadable", True), sentence
    with opened() as files:
        folder.misfits()
    assert "b.csv" in files


def test_a_file_that_is_being_written_to_is_not_judged_yet(folder):
    """Whatever of it was there when it was read; at a look after that it is."""
    stop, path = threading.Event(), folder.path / "b.parquet"
    folder.write("b.parquet", {name: np.random.default_rng(0).integers(0, 2**31, 2_000_000) for name in GOOD})

    def write() -> None:
        while not stop.is_set():
            path.touch()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        told = folder.misfits()
    finally:
        stop.set()
        writer.join()
    ((why, sentence),) = told.values()
    assert why == "unfinished"
    assert "b.parquet is being written to. Write it under a name that" in sentence
    assert folder.misfits() == {}
    assert folder.keyed == ["a.parquet", "b.parquet"]


def test_whoever_asks_for_no_columns_has_files_that_can_be_read(folder):
    """And is told the first that cannot."""
    folder.write("b.parquet", {"other": [1]})
    config = Dataset(
        name="rows", kind="table", uri=str(folder.path), timestamp="time", unit=None, label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    assert len(discover(config, folder.artifacts)) == 2
    folder.write("c.parquet", b"")
    with pytest.raises(DataError, match=r"c\.parquet is not a readable Parquet file"):
        discover(config, folder.artifacts)


def test_a_place_that_cannot_be_looked_into(tmp_path):
    """It is told apart from files that are bad."""
    with pytest.raises(PlaceError, match="cannot be looked into"):
        Folder(tmp_path).find(uri="nobody://knows/this")


def broken(monkeypatch, method, name):
    """A disk or share that fails wherever this name is at the end."""
    works = getattr(LocalFileSystem, method)

    def fails(self, path, *arguments, **options):
        if str(path).endswith(name):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return works(self, path, *arguments, **options)

    monkeypatch.setattr(LocalFileSystem, method, fails)


@pytest.mark.parametrize("pattern", ["", "/*/*.parquet"])
def test_a_folder_that_cannot_be_looked_into_for_a_moment(folder, monkeypatch, pattern):
    """What lies below has not vanished; other files are found as ever."""
    (folder.path / "a.parquet").unlink()
    (folder.path / "m=1").mkdir()
    (folder.path / "m=2").mkdir()
    folder.write("m=1/a.parquet", GOOD)
    uri = f"{folder.path}{pattern}"
    assert len(folder.find(uri=uri).entries) == 1
    folder.write("m=2/b.parquet", GOOD)
    with monkeypatch.context() as meanwhile:
        broken(meanwhile, "ls", "m=1")
        found = folder.find(uri=uri)
        assert list(found.away) == [str(folder.path / "m=1")]
        assert (
            "it cannot be looked into (Input/output error); it holds rows that have keys"
            in found.away[str(folder.path / "m=1")]
        )
        assert [entry.first_key for entry in found.entries] == [0, 2]
    assert folder.find(uri=uri).away == {}


def test_a_file_that_cannot_be_opened_for_a_moment(folder, monkeypatch):
    """Touched, so that it has to be read again: nothing shows that it has changed."""
    folder.write("a.parquet", GOOD)
    folder.find()
    os.utime(folder.path / "a.parquet", (1, 1))
    with monkeypatch.context() as meanwhile:
        broken(meanwhile, "open", "a.parquet")
        (told,) = folder.find().away.values()
        assert "a.parquet cannot be read: [Errno 5] Input/output error" in told
    assert folder.find().away == {}
    folder.write("a.parquet", {**GOOD, "x": [2.5, 1.5]})
    with pytest.raises(DataError, match="has changed"):
        folder.find()


@pytest.mark.parametrize("below", ["", "m=1"])
def test_a_folder_that_is_absent_altogether_is_away(folder, below):
    """Unmounted, or renamed for a while; a file that is gone while its folder is there has vanished."""
    (folder.path / "a.parquet").unlink()
    place = folder.path / below
    place.mkdir(exist_ok=True)
    folder.write(Path(below) / "a.parquet", GOOD)
    folder.find()
    place.rename(folder.path.parent / "elsewhere")
    (told,) = folder.find().away.items()
    assert told[0] == str(place)
    assert told[1].startswith(f"{place} is not there; it holds rows that have keys, the first of them 0. Bring it back")
    (folder.path.parent / "elsewhere").rename(place)
    assert folder.find().away == {}
    (place / "a.parquet").unlink()
    with pytest.raises(DataError, match="has vanished"):
        folder.find()


@pytest.mark.parametrize("name", ["b.parquet", "b.csv.gz", "b.csv"])
def test_an_entry_without_rows_binds_nothing(folder, name):
    """Its file, of whatever format, may be completed or taken away, and later be another one."""
    table, packed = pa.table(GOOD), name.endswith("gz")
    empty = {"time": pa.array([], pa.int64()), "x": pa.array([], pa.float64()), "label": pa.array([], pa.int64())}
    text = b"time,x,label\n"
    folder.write("a.parquet", GOOD)
    folder.write(name, empty if name == "b.parquet" else gzip.compress(text) if packed else text)
    assert [entry.rows for entry in folder.find().entries] == [2, 0]
    (folder.path / name).unlink()
    assert [entry.rows for entry in folder.find().entries] == [2, 0]
    rows = text + b"3,0.5,1\n4,0.5,0\n"
    folder.write(name, table if name == "b.parquet" else gzip.compress(rows) if packed else rows)
    found = folder.find()
    assert [(entry.rows, entry.first_key) for entry in found.entries] == [(2, 0), (0, 2), (2, 2)]
    assert folder.find().entries == found.entries
    manifest = manifest_path(folder.artifacts, "rows")
    manifest.unlink()
    restore_manifest(folder.artifacts, "rows", found.entries)
    assert [(entry.rows, entry.first_key) for entry in folder.find().entries] == [(2, 0), (0, 2), (2, 2)]
    folder.write(name, b"PAR1" if name == "b.parquet" else b"time")
    with pytest.raises(DataError, match="has changed"):
        folder.find()
