"""A run directory that was moved or copied is whole by itself, and no run has two supervisors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from running import Running
from tests_support import Workplace, assert_as_undisturbed, slow


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def killed(place: Workplace, after: str) -> None:
    """A run whose supervisor was killed."""
    with Running.pipeline(place, "--experiment-mode") as run:
        run.wait_for(after)
        run.process.kill()
        run.wait()


def test_a_moved_run_goes_on(on_fleet: Workplace, undisturbed: Workplace) -> None:
    """Workers that still train for it where it was are not believed; others know where it is. The bytes are the same."""
    slow(on_fleet)
    killed(on_fleet, "model 1 committed")
    moved = on_fleet.folder / "elsewhere"
    on_fleet.run_dir.rename(moved)
    assert str(on_fleet.run_dir).encode() not in (moved / "journal.jsonl").read_bytes()
    done = on_fleet.run("--resume", run_dir="elsewhere")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(moved, undisturbed)
    assert not list(on_fleet.run_dir.glob("models/*/model.*"))
    assert json.loads((moved / "models/3/model.json").read_bytes())["object"] == "model.safetensors"
