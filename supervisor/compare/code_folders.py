"""Where the user's own modules lie that a run's models are made of: a run directory does not hold them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from supervisor.compare.run_to_score import RunToScore
from supervisor.system.worker_process import PROJECT


def code_folders(run: RunToScore) -> tuple[Path, ...]:
    """The folders to import them from: of those around the run, and of Python's own, the first with the same file.

    Where a file is nowhere as it was, the first with one of that name; none where that is nowhere, either.
    """
    folders = [PROJECT, *run.folder.parents, *(Path(one).resolve() for one in sys.path)]
    found = (_folder(name, sha256, folders) for name, sha256 in (run.code or {}).items())
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _folder(name: str, sha256: str, folders: list[Path]) -> Path | None:
    there = [folder for folder in folders if (folder / name).is_file()]
    return next(_with(sha256, name, there), there[0] if there else None)


def _with(sha256: str, name: str, folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            body = (folder / name).read_bytes()
        except OSError:  # it cannot be imported, either
            continue
        if hashlib.sha256(body).hexdigest() == sha256:
            yield folder
