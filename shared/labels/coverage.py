"""How far an index of labels goes, as its writer says it and as a reader finds it: on a file system of several machines
what was written is not seen everywhere at once.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

import psutil

_NAME, _RECORD = "covered", struct.Struct("<qq")
_OF_SEVERAL_MACHINES = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "beegfs", "9p", "afs"}


class Coverage(NamedTuple):
    """All about these is in the index."""

    last_row: int  # −1: none
    positions: int  # of label rows, the first so many

    def reaches(self, last_row: int, positions: int | None) -> bool:
        """Whether it goes as far; None: as many label rows as there are."""
        return self.last_row >= last_row and (positions is None or self.positions >= positions)


def say_covered(folder: Path, covered: Coverage) -> None:
    """Write it down, after all that it says. Raises OSError."""
    file = os.open(folder / _NAME, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(file, _RECORD.pack(*covered), 0)
    finally:
        os.close(file)


def covered(folder: Path) -> Coverage:
    """What is seen here of it now."""
    try:
        return Coverage(*_RECORD.unpack((folder / _NAME).read_bytes()))
    except (FileNotFoundError, struct.error):
        return Coverage(-1, 0)


def is_of_several_machines(folder: Path) -> bool:
    """Whether a folder lies on a file system that other machines may see, which so must be told what was written."""
    place = folder.resolve()
    mounted = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    kind = next((mounted[parent] for parent in (place, *place.parents) if parent in mounted), "")
    return kind in _OF_SEVERAL_MACHINES or kind.startswith("fuse.")
