"""What a uri names: each file once, in path order, and each other entry told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.dataset.listing import Listing, look


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder `data` beside a folder `store`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "store").mkdir()
    return tmp_path


def put(*paths: Path) -> None:
    """Files with something in them."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n1\n")


def names(listing: Listing, root: Path) -> list[str]:
    """The files that are read."""
    return [str(Path(name).relative_to(root)) for name in listing.files]


def others(listing: Listing, root: Path) -> dict[str, str]:
    """What is not read, with its reason."""
    found = {**listing.unreadable, **listing.passed_over}
    return {str(Path(name).relative_to(root)): reason for name, reason in found.items()}


def test_a_folder_is_read_with_all_below_it(place: Path) -> None:
    """In path order; names that begin with a dot or a low line are invisible, folders too."""
    data = place / "data"
    put(data / "m=2/a.parquet", data / "m=1/b.csv", data / "m=1/deep/a.csv", data / "c.csv")
    put(data / ".hidden.csv", data / "_temporary/x.csv", data / "m=1/.d/x.csv", data / "m=1/_x.csv")
    found = look(str(data))
    assert names(found, data) == ["c.csv", "m=1/b.csv", "m=1/deep/a.csv", "m=2/a.parquet"]
    assert others(found, data) == {}


def test_links_are_followed(place: Path) -> None:
    """To files and to folders; the file is the one behind the link."""
    data, store = place / "data", place / "store"
    put(store / "blob", store / "folder/b.csv", data / "c.csv")
    (data / "a.csv").symlink_to(store / "blob")
    (data / "linked").symlink_to(store / "folder")
    found = look(str(data))
    assert names(found, data) == ["a.csv", "c.csv", "linked/b.csv"]
    assert {file.size_bytes for file in found.files.values()} == {4}
    before = found.files[str(data / "a.csv")]
    (store / "blob").write_text("x\n12\n")
    assert look(str(data)).files[str(data / "a.csv")] != before


def test_no_row_is_read_twice_for_a_link(place: Path) -> None:
    """A link to what is read anyway is told, and a folder that lies in itself ends."""
    data = place / "data"
    put(data / "m/b.csv")
    (data / "a.csv").symlink_to(data / "m/b.csv")
    (data / "latest").symlink_to(data / "m")
    (data / "m/loop").symlink_to(data)
    found = look(str(data))
    assert names(found, data) == ["m/b.csv"]
    twice = "as it is a link to m/b.csv, which is read"
    assert others(found, data) == {
        "a.csv": twice, "latest/b.csv": twice,
        "latest/loop": "a link to a folder that it lies in", "m/loop": "a link to a folder that it lies in",
    }  # fmt: skip


def test_what_is_not_read_is_told(place: Path) -> None:
    """Once, with the reason: links that lead nowhere, other suffixes, what is no file."""
    data = place / "data"
    put(data / "a.csv", data / "notes.txt", data / "b.csv.xz", data / "m/README.md")
    (data / "gone.csv").symlink_to(place / "nowhere")
    os.mkfifo(data / "pipe.csv")
    found = look(str(data))
    assert names(found, data) == ["a.csv"]
    assert found.unreadable == {str(data / "gone.csv"): "a link that leads nowhere"}
    read = "as only *.parquet, *.csv, *.tsv, *.jsonl, *.ndjson (text also in .bz2, .gz, .zst) are"
    assert found.sentences(str(data)) == [
        f"b.csv.xz, m/README.md, notes.txt: not read, {read}",
        "gone.csv: not read, a link that leads nowhere",
        "pipe.csv: not read, neither file nor folder",
    ]


def test_no_more_than_twenty_names(place: Path) -> None:
    """The others are counted; what cannot be printed is not."""
    put(*(place / f"data/{number:02}.txt" for number in range(30)))
    put(place / "data/\x1b[31m.txt")
    (sentence,) = look(str(place / "data")).sentences(str(place / "data"))
    assert sentence.startswith("\N{REPLACEMENT CHARACTER}[31m.txt, 00.txt, 01.txt")
    assert "18.txt and 11 more: not read" in sentence


def test_a_path_that_exists_is_that_file(place: Path) -> None:
    """Whatever is in its name; only else it is a pattern."""
    data = place / "data"
    put(data / "data[1].csv", data / "data1.csv", data / "day[1]/a.csv")
    assert names(look(str(data / "data[1].csv")), data) == ["data[1].csv"]
    assert names(look(str(data / "day[1]")), data) == ["day[1]/a.csv"]
    (data / "data[1].csv").unlink()
    assert names(look(str(data / "data[1].csv")), data) == ["data1.csv"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv"]),
        ("*/*.csv", ["linked/c.csv", "m/b.csv"]),
        ("**/*.csv", ["a.csv", "linked/c.csv", "m/b.csv", "m/n/d.csv"]),
        ("m*", ["m/b.csv", "m/n/d.csv"]),
        ("*", ["a.csv", "linked/c.csv", "m/b.csv", "m/n/d.csv", "part-0"]),
        ("_old/*.csv", ["_old/e.csv"]),
        ("[mn]/?.csv", ["m/b.csv"]),
    ],
)
def test_a_pattern_follows_links_and_reads_folders(place: Path, pattern: str, expected: list[str]) -> None:
    """What it names is read whatever its suffix; in a folder that it names, what is data."""
    data = place / "data"
    put(data / "a.csv", data / "part-0", data / "m/b.csv", data / "m/n/d.csv", data / "m/x.txt", data / "_old/e.csv")
    put(place / "store/c.csv")
    (data / "linked").symlink_to(place / "store")
    assert names(look(f"{data}/{pattern}"), data) == expected


def test_runs_among_the_data_are_none(place: Path) -> None:
    """Artifacts below the folder that a uri names are not taken for data."""
    data = place / "data"
    put(data / "a.csv")
    put(*(data / "runs/flights/1" / name for name in ("journal.jsonl", "pipeline.yaml", "evaluations.csv")))
    (data / "runs/datasets").mkdir()
    entry = '{"file":"/data/a \\"b\\".csv","rows":1,"size_bytes":4,"fingerprint":"00","first_key":0}\n'
    (data / "runs/datasets/flights.jsonl").write_text(entry)
    (data / "runs/datasets/torn.jsonl").write_text(entry[:30])
    (data / "runs/datasets/other.jsonl").write_text("")
    put(data / "datasets/rows.jsonl")
    found = look(str(data))
    assert names(found, data) == ["a.csv", "datasets/rows.jsonl"]
    assert others(found, data) == {}


def test_names_with_spaces_and_umlauts(place: Path) -> None:
    """They are names as others."""
    data = place / "data"
    put(data / "größe 1.csv")
    assert names(look(str(data)), data) == ["größe 1.csv"]
