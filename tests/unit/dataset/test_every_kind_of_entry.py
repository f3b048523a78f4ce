"""A folder with every kind of entry: each row that can be read is read once, and each other entry is named once."""

from __future__ import annotations

import bz2
import gzip
import os
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.folders import Walk
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import manifest_path, read_manifest
from shared.dataset.table import open_dataset

_NOT_UTF_8 = os.fsdecode(b"gr\xf6\xdfe.csv")
_ROWS = 3


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may look into, with folders `data` and `store`."""
    with tempfile.TemporaryDirectory(prefix="modyn-test-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "data").mkdir()
        (folder / "store").mkdir()
        yield folder


def in_zstandard(body: bytes) -> bytes:
    """The bytes, packed."""
    packed: bytes = pa.Codec("zstd").compress(body, asbytes=True)
    return packed


class Rows:
    """Writes files of rows that no other file has."""

    def __init__(self) -> None:
        self.written: list[int] = []

    def csv(self, path: Path) -> None:
        """Plain text."""
        self._put(path, self._text())

    def packed(self, path: Path) -> None:
        """Text, packed as the suffix says."""
        pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": in_zstandard}[path.suffix.lower()]
        self._put(path, pack(self._text()))

    def json_lines(self, path: Path) -> None:
        """An object a line."""
        lines = [f'{{"time": "2026-01-01T00:00:00Z", "label": 0, "id": {one}}}\n' for one in self._ids()]
        self._put(path, "".join(lines).encode())

    def parquet(self, path: Path) -> None:
        """Columns."""
        times = pa.array([0] * _ROWS, pa.timestamp("us", "UTC"))
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"time": times, "label": [0] * _ROWS, "id": self._ids()}), path)

    def _text(self) -> bytes:
        return b"time,label,id\n" + b"".join(b"2026-01-01T00:00:00Z,0,%d\n" % one for one in self._ids())

    def _ids(self) -> list[int]:
        first = len(self.written)
        self.written += range(first, first + _ROWS)
        return self.written[first:]

    @staticmethod
    def _put(path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def put_what_is_read(data: Path, store: Path, rows: Rows) -> None:
    """Files of every format, name and depth, and links to what lies elsewhere."""
    for name in ("plain.csv", "UPPER.CSV", "tabs.tsv", "with space.csv", "größe.csv", "two\nlines.csv", "a[1]*?.csv"):
        rows.csv(data / name)
    for name in ("${HOME}.csv", "~.csv", "per%20cent.csv", "#hash.csv", "semi;colon.csv", "co:lon.csv", "a::b.csv"):
        rows.csv(data / name)
    for name in ("g.csv.gz", "b.CSV.BZ2", "z.csv.zst"):
        rows.packed(data / name)
    for name in ("rows.jsonl", "ROWS.NDJSON"):
        rows.json_lines(data / name)
    for name in ("p.parquet", "P.PARQUET", "day=2026-01-01/part.parquet", "sub/folder/deep.parquet"):
        rows.parquet(data / name)
    rows.csv(data / "a folder.csv/in it.csv")
    rows.csv(store / "blob")
    (data / "link to a file.csv").symlink_to(store / "blob")
    rows.csv(store / "hard")
    (data / "hard link.csv").hardlink_to(store / "hard")
    rows.csv(store / "folder/in a linked folder.csv")
    (data / "linked").symlink_to(store / "folder")
    (data / "empty.csv").write_text("time,label,id\n")
    (data / "empty folder").mkdir()


def put_what_is_told(data: Path, store: Path, rows: Rows) -> dict[str, str]:
    """What lies there and is not read, by name, with a part of the reason."""
    (data / "gone.csv").symlink_to(store / "nowhere")
    (data / "itself.csv").symlink_to(data / "itself.csv")
    (data / "again.csv").symlink_to(data / "plain.csv")
    (data / "sub/up").symlink_to(data)
    os.mkfifo(data / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(data / "socket.csv"))
    (data / "device.csv").symlink_to("/dev/null")
    unread = {"notes.txt": "as only", "old.csv.xz": "as only", "archive.zip": "as only", "no suffix": "as only"}
    for name in (*unread, _NOT_UTF_8, "secret.csv", "bell\x07.txt"):
        rows._put(data / name, b"time,label,id\n2026-01-01T00:00:00Z,0,-1\n")
    (data / os.fsdecode(b"f\xfcnf")).mkdir()
    rows._put(data / os.fsdecode(b"f\xfcnf") / "a.csv", b"time,label,id\n2026-01-01T00:00:00Z,0,-1\n")
    (data / "secret.csv").chmod(0)
    return unread | {
        "bell\N{REPLACEMENT CHARACTER}.txt": "as only",
        "gone.csv": "a link that leads nowhere",
        "itself.csv": "a link that leads nowhere",
        "again.csv": "as it is a link to plain.csv, which is read",
        "sub/up": "a link to a folder that it lies in",
        "pipe.csv": "neither file nor folder",
        "socket.csv": "neither file nor folder",
        "device.csv": "neither file nor folder",
        "secret.csv": "reading it is not permitted",
        "gr\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}e.csv": "its name is not UTF-8",
        "f\N{REPLACEMENT CHARACTER}nf": "its name is not UTF-8",
    }


def put_what_is_invisible(data: Path) -> None:
    """What producers hide until it is done, and what is ours."""
    names = (".hidden.csv", "_part.csv", "_folder/a.csv", ".git/a.csv", "runs/1/evaluations.csv")
    for name in names:
        Rows._put(data / name, b"time,label,id\n2026-01-01T00:00:00Z,0,-1\n")
    for name in ("journal.jsonl", "pipeline.yaml"):
        (data / "runs/1" / name).write_text("")


@contextmanager
def as_nobody() -> Iterator[None]:
    """What may be read is asked for one who is not root, where a test is run by root, who may read everything."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(65_534, 0, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def config_of(data: Path) -> Dataset:
    """A dataset that reads a folder."""
    return Dataset(
        name="rows", kind="table", uri=str(data), timestamp="time", unit=None, label="label", features=("id",),
        image=None, text=None,
    )  # fmt: skip


def test_each_row_is_read_once_and_each_other_entry_is_told_once(place: Path) -> None:
    """Whatever lies in the folder: no row twice, none left out, and nothing passed over without its name and reason."""
    data, rows = place / "data", Rows()
    put_what_is_read(data, place / "store", rows)
    told = put_what_is_told(data, place / "store", rows)
    put_what_is_invisible(data)
    with as_nobody():
        found = look(str(data))
        entries = discover(config_of(data), str(place / "runs"))
    dataset = open_dataset(config_of(data), entries)
    ids = [one for _, piece in dataset.batches(["id"], 0, dataset.rows) for one in piece["id"].to_pylist()]
    assert sorted(ids) == rows.written
    assert read_manifest(manifest_path(str(place / "runs"), "rows")) == entries
    assert told_by_name(found, data) == dict.fromkeys(told, 1)
    for name, reason in told.items():
        (sentence,) = (one for one in found.sentences(str(data)) if name in names_in(one))
        assert reason in sentence, sentence


def test_sentences_are_fit_for_a_terminal(place: Path) -> None:
    """Each is one line, and nothing in it moves a cursor or cannot be written."""
    put_what_is_told(*make_sub(place), Rows())
    for sentence in look(str(place / "data")).sentences(str(place / "data")):
        assert sentence.isprintable(), sentence
        assert sentence.encode().decode() == sentence


def make_sub(place: Path) -> tuple[Path, Path]:
    """The two folders, and one within."""
    (place / "data/sub").mkdir()
    (place / "data/plain.csv").write_text("time,label,id\n")
    return place / "data", place / "store"


def told_by_name(found: Listing, data: Path) -> Counter[str]:
    """How often each entry is named."""
    return Counter(name for sentence in found.sentences(str(data)) for name in names_in(sentence))


def names_in(sentence: str) -> list[str]:
    """The entries that a sentence names."""
    return sentence.partition(": not read, ")[0].split(", ")


class Vanishing(LocalFileSystem):
    """All that is in a folder is taken away as soon as it was listed."""

    def ls(self, path: str, detail: bool = False, **options: Any) -> Any:
        """List it, and empty it."""
        found = super().ls(path, detail=detail, **options)
        for name in Path(path).iterdir():
            shutil.rmtree(name) if name.is_dir() and not name.is_symlink() else name.unlink()
        return found


def test_what_goes_while_it_is_looked_at_is_not_told(place: Path) -> None:
    """Producers rename and remove files at any time: what is gone is neither forbidden nor a link to nowhere."""
    Rows().csv(place / "data/a.csv")
    Rows().csv(place / "data/folder/b.csv")
    (place / "data/c.csv").symlink_to(place / "data/a.csv")
    walk = Walk(Vanishing(), str(place / "data"))
    walk.into(str(place / "data"))
    assert (walk.unreadable, walk.passed_over) == ({}, {})


@pytest.mark.parametrize("body", [b'{"file": "a.png", "label": 1}\n', b'{"file":"a.png","label":1}\n'])
def test_a_folder_named_datasets_may_hold_data(place: Path, body: bytes) -> None:
    """Its files are manifests of ours only if they say so, not because their rows have a column `file`."""
    Rows._put(place / "data/datasets/images.jsonl", body)
    assert list(look(str(place / "data")).files) == [str(place / "data/datasets/images.jsonl")]


@pytest.mark.parametrize("name", ["a::b.csv", "a::b"])
def test_a_path_with_colons_that_exists_is_that_file_or_folder(place: Path, name: str) -> None:
    """Fsspec would take it for a chain of file systems."""
    path = place / "store" / name
    Rows().csv(path if path.suffix else path / "a.csv")
    entries = discover(config_of(path), str(place / "runs"))
    assert [entry.rows for entry in entries] == [_ROWS]
    dataset = open_dataset(config_of(path), entries)
    assert len(dataset.labels(0, _ROWS)) == _ROWS
