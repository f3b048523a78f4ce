"""A copy of a run directory, as a backup is, is resumed beside the original: it must be refused, and change nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.chaos.scene import Scene, end_family
from shared.errors import NotReadyError
from supervisor.core.events import Ended, event_of

_PATIENCE_S = 30.0  # a refusal may need the supervisor to find broker and workers first


def resume_copy(scene: Scene) -> bool:
    """Copy the run directory and resume the copy on the same Redis; note in the scene one that is let in.

    False if there was nothing to copy or to go on with, or the original did not work until the copy was refused.
    """
    copy = scene.folder / f"copy-{scene.copies}"
    scene.copies += 1
    if not scene.journal.exists() or not _copy(scene.run_dir, copy) or _is_finished(copy):
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


def _is_finished(run_dir: Path) -> bool:
    """Whether its run has come to its end, though its supervisor may still write the summary."""
    *lines, _ = (run_dir / "journal.jsonl").read_bytes().split(b"\n")  # the last may be torn
    last = event_of(lines[-1]) if lines else None
    return isinstance(last, Ended) and last.status == "finished"


def _copy(run_dir: Path, copy: Path) -> bool:
    """Copy what has its final name; False if the run went on under it."""
    try:
        shutil.copytree(run_dir, copy, ignore=shutil.ignore_patterns(".*"))
    except (shutil.Error, OSError):
        return False
    return (copy / "journal.jsonl").exists()
