"""A store whose client keeps listings, as those of S3, Google and Azure do, is seen as it is now."""

from __future__ import annotations

import os

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from shared.config.system import Dataset
from shared.dataset.contents import proposed, refuse_changed
from shared.dataset.discovery import discover
from shared.dataset.found_file import FoundFile
from shared.dataset.growth import Rest
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import by_file
from shared.dataset.table import open_dataset
from shared.errors import DataError


class ListingsKept(LocalFileSystem):
    """A store on the local disk. Listings stay in fsspec's cache without end, and say what a file is like."""

    protocol = "listings-kept"

    @classmethod
    def _strip_protocol(cls, path):
        return LocalFileSystem._strip_protocol(str(path).removeprefix("listings-kept://"))

    def ls(self, path, detail=True, **_):
        """What was there when the folder was first listed."""
        path = self._strip_protocol(path)
        if path not in self.dircache:
            self.dircache[path] = super().ls(path, detail=True)
        return self.dircache[path] if detail else [one["name"] for one in self.dircache[path]]

    def info(self, path, **_):
        """From the listing of the folder, if there is one."""
        if isinstance(path, os.DirEntry):  # it is being listed
            return super().info(path)
        path = self._strip_protocol(path)
        listed = self.dircache.get(self._parent(path), ())
        return next((one for one in listed if one["name"] == path), None) or super().info(path)

    def invalidate_cache(self, path=None):
        """Forget all listings."""
        self.dircache.clear()
        super().invalidate_cache(path)


fsspec.register_implementation("listings-kept", ListingsKept, clobber=True)


class Bucket:
    """A dataset in such a store."""

    def __init__(self, folder):
        self._folder = folder / "bucket"
        self._folder.mkdir()
        self._runs = str(folder / "runs")

    def put(self, name, labels):
        """Write a file, as somebody else does."""
        pq.write_table(pa.table({"time": range(len(labels)), "label": labels}), self._folder / name)

    def write(self, name, text):
        """Write a text, as somebody else does."""
        (self._folder / name).write_text(text)

    def remove(self, name):
        """Take a file away, as somebody else does."""
        (self._folder / name).unlink()

    @property
    def uri(self):
        """All of it."""
        return f"listings-kept://{self._folder}"

    def config(self, end=""):
        """What config.yaml says of it."""
        return Dataset(
            name="rows", kind="table", uri=f"{self.uri}{end}", timestamp="time", unit="s", label="label",
            features=None, image=None, text=None,
        )  # fmt: skip

    def look(self, end=""):
        """The dataset as it is found."""
        config = self.config(end)
        return open_dataset(config, discover(config, self._runs))


@pytest.fixture
def bucket(tmp_path):
    """One with a file of two rows."""
    bucket = Bucket(tmp_path)
    bucket.put("a.parquet", [0, 1])
    return bucket


@pytest.mark.parametrize("end", ["", "/*.parquet"])
def test_a_new_file_is_noticed(bucket, end):
    """Each look lists a folder or a glob anew."""
    assert bucket.look(end).rows == 2
    bucket.put("b.parquet", [0, 1, 1])
    assert bucket.look(end).rows == 5


def test_a_file_that_is_gone_is_missed(bucket):
    """What an earlier listing had does not count."""
    bucket.look()
    bucket.remove("a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet has vanished"):
        bucket.look()


def test_a_rewritten_file_is_refused(bucket):
    """A process that has read the file before does not take the new rows for the old ones."""
    dataset = bucket.look()
    assert dataset.labels(0, 2).tolist() == [0, 1]
    bucket.put("a.parquet", [1, 0])
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        dataset.labels(0, 2)


def test_a_file_rewritten_while_it_is_read_is_refused(bucket):
    """Rows of two versions never come in one reading."""
    bucket.put("b.parquet", [0] * 10)
    pieces = bucket.look().batches(["label"], 2, 12, batch_rows=4)
    next(pieces)
    bucket.put("b.parquet", [1] * 10)
    with pytest.raises(DataError, match="has changed"):
        next(pieces)


@pytest.fixture
def memory():
    """A store that has no folders of its own, links or times; only names."""
    store = fsspec.filesystem("memory")
    for name in ("b.csv", "day=2/c.csv", "day=1/a.csv", "day=1/_x.csv", ".d/e.csv", "notes.txt"):
        store.pipe(f"/bucket/{name}", b"time,label\n1,0\n")
    yield store
    store.rm("/bucket", recursive=True)


def in_memory(end, runs):
    """What is found there: the files, and what is told."""
    config = Dataset(
        name="rows", kind="table", uri=f"memory://bucket{end}", timestamp="time", unit="s", label="label",
        features=None, image=None, text=None,
    )  # fmt: skip
    dataset = open_dataset(config, discover(config, str(runs)))
    return [entry.file.removeprefix("/bucket/") for entry in dataset.entries], look(config.uri).sentences(config.uri)


def test_what_lies_below_a_prefix_is_read(memory, tmp_path):
    """As below a folder of a disk: in path order, hidden names left out, others told."""
    files, told = in_memory("", tmp_path)
    assert files == ["b.csv", "day=1/a.csv", "day=2/c.csv"]
    assert [sentence.split(":")[0] for sentence in told] == ["notes.txt"]


@pytest.mark.parametrize(
    ("end", "files"), [("/*.csv", ["b.csv"]), ("/**/*.csv", ["b.csv", "day=1/a.csv", "day=2/c.csv"]),
                       ("/day=*", ["day=1/a.csv", "day=2/c.csv"]), ("/b.csv", ["b.csv"]), ("/c.csv", [])]
)  # fmt: skip
def test_patterns_in_a_store(memory, tmp_path, end, files):
    """They mean what they mean on a disk."""
    assert in_memory(end, tmp_path) == (files, [])


def test_folders_of_a_store_are_columns(memory, tmp_path):
    """Their names count there too, and a file that was written over is refused."""
    memory.rm("/bucket/b.csv")
    config = Dataset(
        name="rows", kind="table", uri="memory://bucket", timestamp="time", unit="s", label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    dataset = open_dataset(config, discover(config, str(tmp_path)))
    assert [value for _, piece in dataset.batches(["day"], 0, 2) for value in piece["day"].to_pylist()] == [1, 2]
    memory.pipe("/bucket/day=1/a.csv", b"time,label\n1,1\n")
    with pytest.raises(DataError, match="has changed since"):
        discover(config, str(tmp_path))


def test_a_text_that_was_written_anew_with_more_lines_has_grown(bucket):
    """A store appends to nothing; what counts is what is in it."""
    bucket.write("a.csv", "time,label\n0,0\n1,1\n")
    assert bucket.look().timestamps_us(2, 4).tolist() == [0, 1_000_000]
    bucket.write("a.csv", "time,label\n0,0\n1,1\n2,0\n")
    assert bucket.look().timestamps_us(2, 5).tolist() == [0, 1_000_000, 2_000_000]
    bucket.write("a.csv", "time,label\n0,1\n1,1\n2,0\n3,0\n")
    with pytest.raises(DataError, match="has changed"):
        bucket.look()


def test_a_listing_that_is_older_than_the_manifest_tells_of_no_change(bucket):
    """Another machine has found the new lines already, where this one still sees the file as it was before."""
    bucket.write("a.csv", "time,label\n0,0\n")
    bucket.look()
    bucket.write("a.csv", "time,label\n0,0\n1,1\n")
    known = bucket.look().entries
    (file,) = {entry.file for entry in known if entry.file.endswith("csv")}
    before = Listing({**look(bucket.uri).files, file: FoundFile(15, "15 and older")}, {}, {})
    assert refuse_changed(by_file(known), before.files, before, bucket.config()) == {}
    assert proposed(file, before.files[file], known[-2:], bucket.config(), Rest()).entry is None
    bucket.write("a.csv", "time,label\n0,0\n")
    with pytest.raises(DataError, match=r"it had 19 bytes and now has 15"):
        refuse_changed(by_file(known), before.files, before, bucket.config())
