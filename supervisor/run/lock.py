"""The lock of a run directory: one supervisor at a time, who can be named; whoever only looks is in nobody's way."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path

import msgspec

from shared.command import COMMAND
from shared.errors import RunTakenError
from shared.processes import machine

_LOOK_S = 0.5  # longer than anybody looks at a lock


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor that has the lock, as it wrote into it; empty while it is about to."""

    pid: str = ""
    host: str = ""
    machine: str = ""  # what its pid counts in

    def __str__(self) -> str:
        return f"process {self.pid or '?'} on {self.host or 'an unknown host'}"

    @property
    def is_here(self) -> bool:
        """Whether its pid means that process to us, too; not so from another host or container."""
        return self.machine == machine()


class Lock:
    """That of one directory; the kernel lets go of it when the process ends."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._path = directory, directory / ".lock"
        self._file: int | None = None

    def take(self) -> None:
        """Become the only supervisor on this directory. Raises RunTakenError if there is one."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        taken_by = take(self._file)
        if taken_by is not None:
            raise RunTakenError(
                f"another supervisor, {taken_by}, is working on {self._directory}; "
                f"stop it first with {COMMAND} stop {self._directory}."
            )
        sign(self._file)

    def holder(self) -> Holder | None:
        """Who has it, None if nobody works here. Raises OSError."""
        return holder_of(self._path)


def take(file: int) -> Holder | None:
    """Take the lock of an open file; who has it, if somebody does: it may only be looked at, by `runs`."""
    give_up_s = time.monotonic() + _LOOK_S
    while not try_lock(file):
        if time.monotonic() > give_up_s:
            return _holder(file)
        time.sleep(0.01)
    return None


def sign(file: int) -> None:
    """Say who has the lock of an open file: this process."""
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()} {socket.gethostname()} {machine()}".encode(), 0)


def holder_of(path: Path) -> Holder | None:
    """Who has the lock of a file and has signed it, or is about to; None if nobody has. Raises OSError."""
    if not path.exists():
        return None
    file = os.open(path, os.O_RDWR)
    try:
        give_up_s = time.monotonic() + _LOOK_S
        while not try_lock(file):
            holder = _holder(file)
            if holder.pid or time.monotonic() > give_up_s:
                return holder
            time.sleep(0.01)
        return None
    finally:
        os.close(file)


def try_lock(file: int) -> bool:
    """Take the lock of an open file; whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: int) -> Holder:
    words = os.pread(file, 512, 0).decode(errors="replace").split()
    return Holder(**dict(zip(("pid", "host", "machine"), words, strict=False)))
