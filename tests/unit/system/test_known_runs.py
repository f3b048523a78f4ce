"""Runs are found wherever --run-dir put them, and only those that are still there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from supervisor.system.known_runs import known_runs, note_run


def begun(folder: Path) -> Path:
    """A directory in which a run has begun."""
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("{}\n")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Artifacts with a run where it lies by default."""
    begun(tmp_path / "runs/flights/2026")
    return tmp_path / "runs"


def test_a_run_elsewhere_is_found_once(root: Path) -> None:
    """However often it is resumed; one that lies by default needs no note, also where the root is reached by a link."""
    elsewhere, default = begun(root.parent / "größer als je"), root / "flights/2026"
    for _ in range(3):
        note_run(root, elsewhere)
        note_run(root, default)
    assert known_runs(root) == sorted([elsewhere, default])
    link = root.parent / "link"
    link.symlink_to(root)
    note_run(link, default)
    assert known_runs(link) == sorted([elsewhere, link / "flights/2026"])
    assert len((root / ".runs.jsonl").read_text().splitlines()) == 1


def test_what_was_moved_or_removed_is_not_there(root: Path) -> None:
    """A moved run is found again when it goes on in its new place."""
    first, second = begun(root.parent / "first"), begun(root.parent / "second")
    note_run(root, first)
    note_run(root, second)
    shutil.rmtree(first)
    moved = second.rename(root.parent / "moved")
    assert known_runs(root) == [root / "flights/2026"]
    note_run(root, moved)
    assert moved in known_runs(root)


def test_a_damaged_list_hides_no_run(root: Path) -> None:
    """Neither what was cut off by a full disk nor what is no line of ours."""
    (root / ".runs.jsonl").write_text('[]\n{"run_dir": 3}\n{"run_d')
    note_run(root, elsewhere := begun(root.parent / "elsewhere"))
    assert known_runs(root) == sorted([elsewhere, root / "flights/2026"])


def test_a_list_that_cannot_be_written_is_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And keeps no run from starting."""
    (root / ".runs.jsonl").mkdir()
    note_run(root, root.parent / "elsewhere")
    assert "`runs` will not list" in caplog.text
