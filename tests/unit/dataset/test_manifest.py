"""The manifest gives every row its key once and for ever."""

from __future__ import annotations

import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.files import state_of
from shared.dataset.manifest import copy_manifest, manifest_path, read_manifest, restore_manifest
from shared.errors import DataError
from shared.timestamps import now_us


class Place:
    """A dataset folder and the manifest that is kept about it."""

    def __init__(self, root):
        self.data, self.artifacts = root / "data", str(root / "runs")
        self.data.mkdir()
        self.path = manifest_path(self.artifacts, "flights")

    def add(self, name, rows):
        """Write a file of so many rows."""
        pq.write_table(pa.table({"label": list(range(rows))}), self.data / name)

    def look(self, uri=None):
        """What a supervisor finds: (file name, first key, stop key) of every entry."""
        config = Dataset(
            name="flights", kind="table", uri=uri or str(self.data), timestamp="time", unit=None, label="label",
            features=None, image=None, text=None,
        )  # fmt: skip
        entries = discover(config, self.artifacts)
        return [(entry.file.rsplit("/", 1)[1], entry.first_key, entry.stop_key) for entry in entries]


@pytest.fixture
def place(tmp_path):
    """An empty place."""
    return Place(tmp_path)


def test_keys_go_on_from_file_to_file(place):
    """Files get consecutive keys in name order."""
    place.add("b.parquet", 3)
    place.add("a.parquet", 2)
    assert place.look() == [("a.parquet", 0, 2), ("b.parquet", 2, 5)]


def test_new_file_never_moves_a_key(place):
    """A file that sorts before the known ones still gets the later keys."""
    place.add("b.parquet", 3)
    place.look()
    place.add("a.parquet", 2)
    assert place.look() == [("b.parquet", 0, 3), ("a.parquet", 3, 5)]


def test_looking_again_changes_nothing(place):
    """A look that finds nothing new leaves the manifest byte for byte as it was."""
    place.add("a.parquet", 2)
    place.look()
    before = place.path.read_bytes()
    assert place.look() == [("a.parquet", 0, 2)]
    assert place.path.read_bytes() == before


def test_a_file_keeps_the_moment_at_which_it_was_found(place):
    """All files of one look have the same; a later look, a restored manifest and a copy leave it as it was."""
    before_us = now_us()
    place.add("a.parquet", 2)
    place.add("b.parquet", 2)
    place.look()
    first, second = (entry.discovered_us for entry in read_manifest(place.path))
    assert before_us <= first == second <= now_us()
    place.add("c.parquet", 2)
    place.look()
    entries = read_manifest(place.path)
    assert [entry.discovered_us for entry in entries[:2]] == [first, second]
    assert first < entries[2].discovered_us <= now_us()
    forget(place)
    place.look()
    assert read_manifest(place.path) == entries
    copy_manifest(place.artifacts, str(place.data.parent / "elsewhere"), "flights")
    assert read_manifest(manifest_path(str(place.data.parent / "elsewhere"), "flights")) == entries


def test_a_manifest_of_before_is_read(place):
    """Its files have no moment of discovery; files that come later have."""
    place.add("a.parquet", 2)
    place.look()
    entry = json.loads(place.path.read_text())
    del entry["discovered_us"]
    place.path.write_text(json.dumps(entry) + "\n")
    place.add("b.parquet", 2)
    assert place.look() == [("a.parquet", 0, 2), ("b.parquet", 2, 4)]
    assert [entry.discovered_us > 0 for entry in read_manifest(place.path)] == [False, True]


def test_hidden_and_foreign_files_are_no_data(place):
    """Half-written and foreign files in a folder are left out."""
    place.add(".a.parquet", 2)
    place.add("_b.parquet", 2)
    (place.data / "README.md").write_text("about")
    assert place.look() == []


@pytest.mark.parametrize("end", ["/*.parquet", "/a.parquet", ""])
def test_uri_may_be_glob_file_or_folder(place, end):
    """One file, a glob and a folder name the same data."""
    place.add("a.parquet", 2)
    assert place.look(f"{place.data}{end}") == [("a.parquet", 0, 2)]


def test_csv_counts_rows_without_its_header(place):
    """A CSV file's header is no row."""
    (place.data / "a.csv").write_text("time,label\n1,0\n2,1\n")
    assert place.look() == [("a.csv", 0, 2)]


def test_changed_file_is_refused(place):
    """A file whose size changed is named, with the remedy."""
    place.add("a.parquet", 2)
    place.look()
    place.add("a.parquet", 2000)
    with pytest.raises(DataError, match=r"a\.parquet has changed: it had \d+ bytes and now has \d+\. Restore it"):
        place.look()


def in_place(path, body):
    """Write other bytes into a file."""
    with path.open("r+b") as file:
        file.write(body)


def by_rename(path, body):
    """Put another file in its place."""
    other = path.with_name(".other")
    other.write_bytes(body)
    other.rename(path)


@pytest.mark.parametrize("change", [in_place, by_rename])
@pytest.mark.parametrize("times_kept", [False, True])
def test_a_file_changed_at_the_same_size_is_refused(place, change, times_kept):
    """Whichever byte of it, however it was written, and whether its time was set back: the next look notices."""
    path = place.data / "a.csv"
    body = "label\n" + "0\n" * 200_000
    path.write_text(body)
    place.look()
    before = path.stat()
    change(path, (body[:200_000] + "1" + body[200_001:]).encode())
    if times_kept:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match=r"a\.csv has changed since its rows were given keys\. Restore it"):
        place.look()
    change(path, body.encode())
    assert place.look() == [("a.csv", 0, 200_000)]


def test_a_start_reads_files_whole(place):
    """Size and times alone are not believed then: what changed without a trace in them is noticed."""
    path = place.data / "a.csv"
    path.write_text("label\n0\n0\n")
    place.look()
    (entry,) = read_manifest(place.path)
    in_place(path, b"label\n0\n1\n")
    now = state_of(entry.file, str(place.data))
    place.path.write_bytes(msgspec.json.encode(msgspec.structs.replace(entry, mark=now.mark)) + b"\n")
    with pytest.raises(DataError, match=r"a\.csv has changed since its rows were given keys"):
        place.look()


def test_a_file_that_was_touched_is_the_same(place):
    """What counts is what is in it, not when it was written or where it lies; links may be set anew."""
    place.add("a.parquet", 2)
    expected = place.look()
    (place.data / "a.parquet").rename(place.data.parent / "blob")
    (place.data / "a.parquet").symlink_to(place.data.parent / "blob")
    os.utime(place.data / "a.parquet", (1, 1))
    assert place.look() == expected


def test_a_linked_file_that_changed_is_refused(place):
    """The file behind the link is what has rows."""
    for name in ("blob", "other"):
        place.add(name, 2)
    pq.write_table(pa.table({"label": [7, 8]}), place.data / "other")
    link = place.data / "a.parquet"
    link.symlink_to(place.data / "blob")
    assert place.look() == [("a.parquet", 0, 2)]
    link.unlink()
    link.symlink_to(place.data / "other")
    with pytest.raises(DataError, match="has changed"):
        place.look()
    link.unlink()
    link.symlink_to(place.data / "nowhere")
    with pytest.raises(
        DataError,
        match=r"a\.parquet cannot be read, a link that leads nowhere; it holds rows that have keys",
    ):
        place.look()


def test_vanished_file_is_refused(place):
    """A file that is gone is named, with the remedy."""
    place.add("a.parquet", 2)
    place.look()
    (place.data / "a.parquet").unlink()
    with pytest.raises(DataError, match=r"a\.parquet has vanished; it holds the keys from 0\. Restore it"):
        place.look()


def test_file_of_another_kind_is_refused(place):
    """What is not of the format that its name says is refused, with those that are read, and leaves no entry."""
    (place.data / "a.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(DataError, match="not a readable Parquet file: .*Parquet, CSV and JSON lines are read"):
        place.look()
    assert read_manifest(place.path) == ()


def test_torn_last_line_does_not_count(place):
    """What a crash left half-written is cut off, and the file found anew with the same keys."""
    place.add("a.parquet", 2)
    place.add("b.parquet", 3)
    whole = place.look()
    before = place.path.read_bytes()
    place.path.write_bytes(before[:-10])
    (entry,) = read_manifest(place.path)
    assert entry.first_key == 0
    assert place.look() == whole
    assert read_manifest(place.path)[0] == entry
    assert place.path.read_bytes().count(b"\n") == before.count(b"\n")


def test_lost_manifest_is_restored(place):
    """A manifest that was lost comes back as the journal remembers it; one that is there stays."""
    place.add("b.parquet", 3)
    place.look()
    place.add("a.parquet", 2)
    expected = place.look()
    entries, before = read_manifest(place.path), place.path.read_bytes()
    place.path.unlink()
    restore_manifest(place.artifacts, "flights", entries)
    assert place.look() == expected
    assert place.path.read_bytes() == before
    restore_manifest(place.artifacts, "flights", entries[:1])
    assert place.look() == expected


def forget(place):
    """Remove the manifest, as people do to say that a file was mended, and restore it as --resume does."""
    entries = read_manifest(place.path)
    place.path.unlink()
    restore_manifest(place.artifacts, "flights", entries)


def test_a_manifest_that_was_replaced_while_its_lock_was_waited_for_is_read_anew(place):
    """Two supervisors meet: what one restores is what the other adds to, and no key goes into a file nobody sees."""
    place.add("b.parquet", 3)
    place.look()
    place.add("a.parquet", 2)
    whole = place.path.read_bytes()
    with ThreadPoolExecutor(1) as pool:
        with place.path.open("ab") as before:
            fcntl.flock(before, fcntl.LOCK_EX)
            looking = pool.submit(place.look)
            wait_for_one_that_waits(place.path)
            place.path.unlink()
            place.path.write_bytes(whole)
        assert looking.result(timeout=30) == [("b.parquet", 0, 3), ("a.parquet", 3, 5)]
    assert [entry.first_key for entry in read_manifest(place.path)] == [0, 3]


def test_a_manifest_is_restored_when_nobody_else_writes_it(place):
    """Who adds to it holds its lock; what was added meanwhile stays."""
    place.add("a.parquet", 2)
    expected = place.look()
    entries, whole = read_manifest(place.path), place.path.read_bytes()
    place.path.write_bytes(b"")
    with ThreadPoolExecutor(1) as pool:
        with place.path.open("ab") as manifest:
            fcntl.flock(manifest, fcntl.LOCK_EX)
            restoring = pool.submit(restore_manifest, place.artifacts, "flights", entries)
            wait_for_one_that_waits(place.path)
            os.write(manifest.fileno(), whole)
        restoring.result(timeout=30)
    assert place.path.read_bytes() == whole
    assert place.look() == expected


def wait_for_one_that_waits(path):
    """Return when somebody waits for the lock of a file."""
    mark = f":{path.stat().st_ino} "
    while not any("->" in line and mark in line for line in Path("/proc/locks").read_text().splitlines()):
        pass


def test_a_mended_file_keeps_its_keys_when_the_manifest_was_removed(place):
    """With as many rows as before, the file is taken as it is, under the same keys; from then on it may not change."""
    place.add("a.parquet", 2)
    place.add("b.parquet", 3)
    expected = place.look()
    pq.write_table(pa.table({"label": [7, 7], "more": ["x", "y"]}), place.data / "a.parquet")
    with pytest.raises(DataError, match=r"has changed: .* remove the dataset's manifest"):
        place.look()
    forget(place)
    assert place.look() == expected
    place.add("a.parquet", 2)
    with pytest.raises(DataError, match="has changed"):
        place.look()


def test_a_mended_file_with_other_rows_is_refused(place):
    """Keys are for ever: a file with more or fewer rows cannot take the place of the old one."""
    place.add("a.parquet", 2)
    place.look()
    place.add("a.parquet", 3)
    forget(place)
    with pytest.raises(DataError, match=r"a\.parquet has 3 rows, but had 2"):
        place.look()


def test_a_damaged_manifest(place):
    """A line that is no entry is told with the way out."""
    place.add("a.parquet", 2)
    place.look()
    place.path.write_text("nonsense\n")
    with pytest.raises(DataError, match=r"flights\.jsonl is damaged: .* Remove it"):
        place.look()


@pytest.mark.parametrize("uri", ["nowhere://x/y", "a\0b", "a" * 300])
def test_a_place_that_cannot_be_looked_into(place, uri):
    """Unknown protocols and impossible names are told in a sentence."""
    with pytest.raises(DataError, match=r"cannot be looked into: .* Mend uri under storage\.datasets"):
        place.look(uri)


def test_a_path_below_a_file_has_no_files(place):
    """What cannot exist is as absent as what does not."""
    place.add("a.parquet", 2)
    assert place.look(str(place.data / "a.parquet/b")) == []
