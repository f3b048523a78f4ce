"""Folders for this process alone, named so that what a killed process leaves can be told from what is in use."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # files in memory, where there is such a place
_NAME = re.compile(r"modyn-[a-z]+-(\d+)-.+")


def private_folder(what: str, place: Path | None = None) -> Path:
    """Make a folder in `place` (default: the system's temporary folder) that only this user can enter."""
    return Path(tempfile.mkdtemp(prefix=f"modyn-{what}-{os.getpid()}-", dir=place))


def private_folders() -> list[tuple[Path, int]]:
    """All such folders on this machine, of any process, with the process that made each."""
    found = []
    for place in {Path(tempfile.gettempdir()), Path("/tmp"), MEMORY}:
        for folder in place.glob("modyn-*"):
            named = _NAME.fullmatch(folder.name)
            if named is not None:
                found.append((folder, int(named[1])))
    return found
