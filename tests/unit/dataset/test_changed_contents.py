"""No change of a file's contents passes once its rows have keys: at the next look where size or time moved, and
whatever moved or did not, in the next process."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workplace import PROJECT, environment

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.files import state_of
from shared.dataset.manifest import manifest_path, read_manifest
from shared.dataset.table import open_dataset
from shared.errors import DataError

_LINES = 50
_TIMES_NS = (1_700_000_000_000_000_000, 1_700_000_000_123_456_789)  # that files had, and get back


class Place:
    """A dataset of two files, `day/a` and `day/b`, of one size and with the same times, and its manifest."""

    def __init__(self, root: Path, suffix: str = ".csv") -> None:
        self.root, self.data = root, root / "data"
        self.file, self.other = (self.data / "day" / f"{name}{suffix}" for name in "ab")
        self.file.parent.mkdir(parents=True)
        for number, path in enumerate((self.file, self.other)):
            self.put(path, body(suffix, number))

    def put(self, path: Path, contents: bytes) -> None:
        """Write a file, and give it the times that all have."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
        os.utime(path, ns=_TIMES_NS)

    @property
    def config(self) -> Dataset:
        """How it is read."""
        return Dataset(
            name="rows", kind="table", uri=str(self.data), timestamp="time", unit="s", label="label", features=None,
            image=None, text=None,
        )  # fmt: skip

    def look(self) -> None:
        """As a supervisor does at each poll; then let the disk's clock go on by a tick. Raises DataError."""
        discover(self.config, str(self.root / "runs"))
        probe = self.root / "probe"
        probe.touch()
        while probe.stat().st_ctime_ns == self.file.stat().st_ctime_ns:
            probe.touch()

    def forge(self) -> None:
        """Have the manifest say that nobody has written to the files, as if no time of theirs had moved."""
        path = manifest_path(str(self.root / "runs"), "rows")
        marks = [msgspec.structs.replace(one, mark=self._mark(one.file)) for one in read_manifest(path)]
        path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in marks))

    def _mark(self, file: str) -> str:
        return state_of(file, str(self.data)).mark


def body(suffix: str, number: int) -> bytes:
    """The contents of a file; all are of one size."""
    rows = [(key, key % 2, 100 + number) for key in range(_LINES)]
    if suffix == ".csv":
        return b"time,label,x\n" + b"".join(b"%04d,%d,%d\n" % row for row in rows)
    if suffix == ".jsonl":
        return b"".join(b'{"time": %d, "label": %d, "x": %d}\n' % row for row in rows)
    columns = dict(zip(("time", "label", "x"), map(list, zip(*rows, strict=True)), strict=True))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out, compression="none", use_dictionary=False, write_statistics=False)
    written: bytes = out.getvalue().to_pybytes()
    return written


def changed_body(place: Place) -> bytes:
    """What is in the file, but for one value in its middle; of the same size."""
    contents = place.file.read_bytes()
    if place.file.suffix == ".parquet":
        return body(".parquet", 7)
    middle = contents.index(b"\n", len(contents) // 2) - (2 if place.file.suffix == ".jsonl" else 1)
    assert contents[middle : middle + 1].isdigit()
    return contents[:middle] + b"9" + contents[middle + 1 :]


def in_place(place: Place) -> None:
    """Other bytes into the same file."""
    contents = changed_body(place)
    with place.file.open("r+b") as file:
        file.write(contents)


def cut_and_written_anew(place: Place) -> None:
    """As `open(…, "w")` does."""
    place.file.write_bytes(changed_body(place))


def through_memory(place: Place) -> None:
    """A memory map, as numpy and databases write."""
    contents = changed_body(place)
    with place.file.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:] = contents
        memory.flush()


def by_rename(place: Place) -> None:
    """Another file in its place, as producers do that write whole files."""
    hidden = place.file.with_name(".new")
    place.put(hidden, changed_body(place))
    hidden.replace(place.file)


def by_hard_link(place: Place) -> None:
    """The name becomes one more name of another file."""
    place.put(place.root / "elsewhere", changed_body(place))
    place.file.unlink()
    place.file.hardlink_to(place.root / "elsewhere")


def through_another_name(place: Place) -> None:
    """Written through a second hard link, in a folder that nobody looks into."""
    contents = changed_body(place)
    (place.root / "elsewhere").hardlink_to(place.file)
    with (place.root / "elsewhere").open("r+b") as file:
        file.write(contents)


def by_link(place: Place) -> None:
    """The file becomes a link to another one."""
    place.put(place.root / "elsewhere", changed_body(place))
    place.file.unlink()
    place.file.symlink_to(place.root / "elsewhere")


def swapped(place: Place) -> None:
    """Two files of the dataset exchange their names."""
    hidden = place.file.with_name(".swap")
    place.file.rename(hidden)
    place.other.rename(place.file)
    hidden.rename(place.other)


def folder_swapped(place: Place) -> None:
    """The folder around it is another one now, with the same names in it."""
    contents = changed_body(place)
    shutil.copytree(place.file.parent, place.data / ".new", copy_function=shutil.copy2)
    place.put(place.data / ".new" / place.file.name, contents)
    place.file.parent.rename(place.data / ".old")
    (place.data / ".new").rename(place.file.parent)


def folder_linked(place: Place) -> None:
    """The folder around it becomes a link to another one."""
    folder_swapped(place)
    place.file.parent.rename(place.root / "folder")
    place.file.parent.symlink_to(place.root / "folder")


def copied_back(place: Place) -> None:
    """`cp -p`, `rsync -a` and `tar x` bring times with them."""
    place.put(place.root / "backup", changed_body(place))
    shutil.copy2(place.root / "backup", place.file)


WAYS = [
    in_place, cut_and_written_anew, through_memory, by_rename, by_hard_link, through_another_name, by_link, swapped,
    folder_swapped, folder_linked, copied_back,
]  # fmt: skip
SUFFIXES = (".csv", ".jsonl", ".parquet")


def restore_times(place: Place) -> None:
    """What can be set of a file's times is what it was."""
    for path in (place.file, place.other):
        os.utime(path, ns=_TIMES_NS)


@pytest.mark.parametrize("times_kept", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("way", WAYS)
def test_the_next_look_notices(way: Callable[[Place], None], suffix: str, times_kept: bool, tmp_path: Path) -> None:
    """At once after the rows were given keys, at the same size, with the old times: refused, at that look and the
    next, and by who reads rows."""
    place = Place(tmp_path, suffix)
    place.look()
    entries = read_manifest(manifest_path(str(tmp_path / "runs"), "rows"))
    before = place.file.read_bytes()
    way(place)
    assert len(place.file.read_bytes()) == len(before) != 0
    assert place.file.read_bytes() != before
    if times_kept:
        restore_times(place)
    for _ in range(2):
        with pytest.raises(DataError, match="has changed since its rows were given keys"):
            place.look()
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        open_dataset(place.config, entries).labels(0, 2 * _LINES)


def test_the_next_process_notices_what_left_no_trace(tmp_path: Path) -> None:
    """A start reads files whole: a manifest whose sizes and times are those of the changed file changes nothing."""
    places = [Place(tmp_path / f"{way.__name__}{suffix}", suffix) for way in WAYS for suffix in SUFFIXES]
    for place, way in zip(places, [way for way in WAYS for _ in SUFFIXES], strict=True):
        place.look()
        way(place)
        restore_times(place)
        place.forge()
    assert looked_at_by_another_process(places) == ["has changed"] * len(places)


def test_the_next_process_takes_what_is_as_it_was(tmp_path: Path) -> None:
    """A change that was taken back, a copy, a move and new times are none."""
    places = [Place(tmp_path / suffix, suffix) for suffix in SUFFIXES]
    for place in places:
        contents = place.file.read_bytes()
        place.look()
        in_place(place)
        place.file.unlink()
        place.put(place.root / "elsewhere", contents)
        place.file.symlink_to(place.root / "elsewhere")
        os.utime(place.file)
        place.look()
    assert looked_at_by_another_process(places) == ["as it was"] * len(places)


def looked_at_by_another_process(places: list[Place]) -> list[str]:
    """What a supervisor that starts says of each."""
    command = [sys.executable, "-c", _LOOK, *(str(place.root) for place in places)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60, cwd=PROJECT,
        env={**environment(), "PYTHONPATH": f"{PROJECT}:{PROJECT}/tests/support"},
    )  # fmt: skip
    return done.stdout.splitlines()


_LOOK = """
import sys
from pathlib import Path
from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.errors import DataError

for root in map(Path, sys.argv[1:]):
    config = Dataset(
        name="rows", kind="table", uri=str(root / "data"), timestamp="time", unit="s", label="label", features=None,
        image=None, text=None,
    )
    try:
        discover(config, str(root / "runs"))
        print("as it was")
    except DataError as error:
        print("has changed" if "has changed since its rows were given keys" in str(error) else error)
"""


@st.composite
def edits(draw: st.DrawFn, size: int) -> tuple[int, bytes, bytes]:
    """(place, bytes that are put in the place of as many, bytes that are added at the end)."""
    at = draw(st.integers(0, size - 1))
    more = draw(st.sampled_from([b"", b"9999,1,100\n", b"9999,1,100\n9999,0", b"9"]))
    return at, draw(st.binary(min_size=1, max_size=min(8, size - at))), more


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder in which examples have their own."""
    with TemporaryDirectory(prefix="modyn-test-") as folder:
        yield Path(folder)


@settings(max_examples=40)
@given(edits(len(body(".csv", 0))), st.lists(st.sampled_from([b"5000,1,100\n", b"5001,0,1", b"01\n"]), max_size=3))
def test_a_text_that_grew_may_not_have_changed_before(
    scratch: Path, edit: tuple[int, bytes, bytes], pieces: list[bytes]
) -> None:
    """Whatever was added, then and later: where one byte of what has keys is another, it is refused."""
    with TemporaryDirectory(dir=scratch) as folder:
        place = Place(Path(folder))
        place.look()
        grown = place.file.read_bytes()
        for piece in pieces:
            grown += piece
            place.file.write_bytes(grown)
            try:
                place.look()
            except DataError:
                return  # what is added is no row, or goes on with one that counted already
        at, other, more = edit
        changed = grown[:at] + other + grown[at + len(other) :]
        place.file.write_bytes(changed + more)
        os.utime(place.file, ns=_TIMES_NS)
        if changed != grown:
            with pytest.raises(DataError):
                place.look()
