"""A copy of a run directory, as a backup is, is resumed beside the original: it must be refused, and change nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.chaos.scene import Scene, end_family
from shared.errors import NotReadyError

_PATIENCE_S = 30.0  # a refusal may need the supervisor to find broker and workers first


def resume_copy(scene: Scene) -> bool:
    """Copy the run directory and resume the copy on the same Redis; note in the scene one that is let in.

    False if there was nothing to copy, or the original did not work until the copy was refused.
    """
    copy = scene.folder / f"copy-{scene.copies}"
    scene.copies += 1
    if not scene.journal.exists() or not _copy(scene.run_dir, copy):
        return False
    process = scene.resume_in(copy)
    try:
        code = process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        end_family(process)
    if scene.supervisor is None or scene.supervisor.poll() is not None:
        return False  # nobody had the run any more, so it may have gone on in the copy
    scene.copies_let_in += code != NotReadyError.exit_code
    return True


def _copy(run_dir: Path, copy: Path) -> bool:
    """Copy what has its final name; False if the run went on under it."""
    try:
        shutil.copytree(run_dir, copy, ignore=shutil.ignore_patterns(".*"))
    except (shutil.Error, OSError):
        return False
    return (copy / "journal.jsonl").exists()
