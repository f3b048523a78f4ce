"""Files that are on the disk when a call returns."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, body: bytes) -> None:
    """Write a new file and what leads to it down to the disk. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def sync_file(path: Path) -> None:
    """Bring a file's content down to the disk. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Bring a folder's entries down to the disk: a rename is lasting only after this. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
