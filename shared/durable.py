"""Files that are on the disk when a call returns, and a lock that is never waited for long."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK_TRIED_EVERY_S = 0.01


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


@contextmanager
def locked(path: Path, patience_s: float) -> Iterator[None]:
    """Hold the lock file `path`; the kernel lets go of it when the process ends.

    Raises TimeoutError, an OSError, after `patience_s`: a stopped process keeps its lock.
    """
    deadline_s = time.monotonic() + patience_s
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"another process has held {path} for {patience_s:g} s; end it") from None
                time.sleep(_LOCK_TRIED_EVERY_S)
        yield
