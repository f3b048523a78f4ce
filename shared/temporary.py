"""Folders for this process alone, named so that what a killed process leaves can be told from what is in use."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from shared.processes import machine, started

MEMORY = Path("/dev/shm")  # files in memory, where there is such a place
_NAME = re.compile(r"modyn-[a-z]+-([0-9a-f]{8})-(\d+)-([\d.]+)-.+")


class Maker(NamedTuple):
    """The process that made a folder: its pid names it on its machine alone, and there until it is given out again."""

    machine: str
    pid: int
    started: str

    @classmethod
    def here(cls, pid: int) -> Maker:
        """A process of this machine, or of this container: others see the same folders, and have other processes."""
        return cls(hashlib.sha256(machine().encode()).hexdigest()[:8], pid, started(pid) or "0")

    @property
    def is_gone(self) -> bool:
        """Whether it was one of this machine, and has ended. Of other machines nothing is known."""
        return self != Maker.here(self.pid) and self.machine == Maker.here(self.pid).machine


def private_folder(what: str, place: Path | None = None) -> Path:
    """Make a folder in `place` (default: the system's temporary folder) that only this user can enter."""
    return Path(tempfile.mkdtemp(prefix=f"modyn-{what}-{'-'.join(map(str, Maker.here(os.getpid())))}-", dir=place))


@contextmanager
def scratch_folder(what: str, place: Path | None = None) -> Iterator[Path]:
    """A folder of that kind, for as long as it is needed. Raises OSError."""
    folder = private_folder(what, place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def private_folders() -> list[tuple[Path, Maker]]:
    """All such folders that can be seen from here, of any process, with the process that made each."""
    found = []
    for place in {Path(tempfile.gettempdir()), Path("/tmp"), MEMORY}:
        for folder in place.glob("modyn-*"):
            named = _NAME.fullmatch(folder.name)
            if named is not None:
                found.append((folder, Maker(named[1], int(named[2]), named[3])))
    return found
