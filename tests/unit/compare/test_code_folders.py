"""The user's own modules are found where they are as the run had them, and else where they have their name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from supervisor.compare.code_folders import code_folders
from supervisor.compare.run_to_score import RunToScore

OLD, NEW = "x = 1\n", "x = 2\n"


def folders(tmp_path: Path, code: dict[str, str] | None) -> tuple[Path, ...]:
    """Where the modules of a run are found that lies in `a/runs/flights/1`."""
    hashes = None if code is None else {name: hashlib.sha256(text.encode()).hexdigest() for name, text in code.items()}
    nothing: Any = None
    return code_folders(RunToScore(nothing, nothing, tmp_path / "a" / "runs" / "flights" / "1", hashes))


def write(file: Path, text: str) -> Path:
    """A module; its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file.parent


def test_the_same_file_comes_before_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside config.yaml, mostly; Python's own folders come last."""
    write(tmp_path / "a" / "runs" / "mine.py", NEW)
    right = write(tmp_path / "a" / "mine.py", OLD)
    elsewhere = write(tmp_path / "other" / "theirs" / "__init__.py", OLD).parent
    monkeypatch.syspath_prepend(str(elsewhere))
    assert folders(tmp_path, {"mine.py": OLD}) == (right,)
    assert folders(tmp_path, {"mine.py": OLD, "theirs/__init__.py": OLD}) == (right, elsewhere)


def test_one_that_was_changed_is_taken_where_no_other_is(tmp_path: Path) -> None:
    """A comment more does not keep a model from being loaded; a module that is nowhere is for the process to miss."""
    near = write(tmp_path / "a" / "runs" / "mine.py", NEW)
    write(tmp_path / "mine.py", NEW)
    assert folders(tmp_path, {"mine.py": OLD, "gone.py": OLD}) == (near,)
    assert folders(tmp_path, None) == ()
