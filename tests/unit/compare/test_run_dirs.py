"""What people type, and what runs are called beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import ConfigurationError
from supervisor.compare.run_dirs import RunDir, names_of, runs_meant


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that paths are relative to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begun(*paths):
    """Run directories in which a run has begun."""
    for path in paths:
        Path(path).mkdir(parents=True)
        (Path(path) / "journal.jsonl").write_text("{}\n")


def test_runs_are_meant_as_they_are_typed(place):
    """In that order, and under the names that people gave them."""
    begun("b", "runs/a")
    assert runs_meant([Path("runs/a"), Path("b")]) == [RunDir(Path("runs/a"), False), RunDir(Path("b"), False)]


def test_a_folder_of_runs_stands_for_those_right_in_it(place):
    """By name; what else lies there is passed over, and what lies deeper."""
    begun("sweep/every=2", "sweep/every=1", "sweep/deep/down")
    (place / "sweep/notes.txt").touch()
    assert [str(one.typed) for one in runs_meant([Path("sweep")])] == ["sweep/every=1", "sweep/every=2"]
    assert all(one.found for one in runs_meant([Path("sweep")]))


@pytest.mark.parametrize(
    ("within", "typed", "found"),
    [("sweep", ".", ["a", "b"]), ("sweep/a", "./", ["."]), ("sweep/a", "..", ["../a", "../b"])],
)
def test_the_folder_that_one_is_in_has_a_name_too(place, monkeypatch, within, typed, found):
    """A run, or a folder of runs."""
    begun("sweep/a", "sweep/b")
    monkeypatch.chdir(place / within)
    assert [str(one.typed) for one in runs_meant([Path(typed)])] == found


@pytest.mark.parametrize("typed", [["sweep/a", "sweep"], ["sweep/a", "sweep/../sweep/a"], ["sweep/a", "link"]])
def test_a_run_is_named_once(place, typed):
    """However it is named."""
    begun("sweep/a")
    (place / "link").symlink_to(place / "sweep/a")
    with pytest.raises(ConfigurationError, match=r"/sweep/a is named twice; name each run once\."):
        runs_meant([Path(one) for one in typed])


@pytest.mark.parametrize("typed", ["empty", "file", "absent"])
def test_what_holds_no_run_is_refused(place, typed):
    """With the way to those that there are."""
    (place / "empty").mkdir()
    (place / "file").touch()
    with pytest.raises(ConfigurationError, match=rf"{typed} (holds no run|cannot be looked into)"):
        runs_meant([Path(typed)])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/a", "runs/b"], ["a", "b"]),
        (["one/a", "two/a"], ["one/a", "two/a"]),
        (["one/a", "two/a", "two/b"], ["one/a", "two/a", "b"]),
        (["x/one/a", "y/one/a"], ["x/one/a", "y/one/a"]),
        (["a"], ["a"]),
    ],
)
def test_a_name_is_the_shortest_end_that_no_other_run_has(place, paths, names):
    """As people would tell them apart."""
    assert names_of([Path(one) for one in paths]) == names
