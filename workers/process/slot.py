"""The file through which a worker's child tells its parent what it works on, and the parent asks it to stop.

The parent's thread renews the lease of what stands here, so that a busy loop or a held GIL in the child cannot
starve it. Files are replaced whole; they lie in memory (/dev/shm) where there is such a place. That may be full: what
was said before makes room for what is said now, and if even that is not enough the worker says so.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import msgspec

from shared.claims import Attempt
from shared.temporary import MEMORY, private_folder
from workers.process.slot_troubles import SlotError, no_room, removed

_BENCHED_WITHIN_S = 3600.0  # of a device that failed, when it fails again


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """What a ready child says: where it runs, and its attempt while it works."""

    pid: int
    device: str
    device_name: str
    versions: dict[str, str]
    attempt: Attempt | None
    lease_s: float
    stall_after_s: float  # without progress, after which the child is taken to be hung
    since_us: int  # for people
    since_s: float  # the same, by the machine's monotonic clock, which all its processes share and nobody sets


class DeviceFailure(msgspec.Struct, frozen=True):
    """The device of this worker failed."""

    at_s: float  # by the machine's monotonic clock
    said: str


class SlotFile:
    """The slot's file, seen from either side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._slot = folder / "slot"
        self._stop = folder / "stop"
        self._recalled = folder / "recalled"
        self._device_failures = folder / "device_failures"
        self._refusal = folder / "refusal"

    @classmethod
    def create(cls, place: Path | None = None) -> SlotFile:
        """A fresh slot for this worker, in `place` (default: in memory). Raises SlotError if nothing can be written."""
        place = place or (MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir()))
        try:
            one = cls(private_folder("worker", place))
        except OSError as error:
            raise SlotError(no_room(place, str(error.strerror))) from None
        try:
            one._write(one._slot, bytes(1))
            one._slot.unlink()
        except SlotError:
            one.remove()
            raise
        return one

    def write(self, slot: Slot) -> None:
        """Replace the slot's content, atomically where there is room for both. Raises SlotError."""
        content = msgspec.json.encode(slot)
        try:
            self._write(self._slot, content)
        except SlotError:
            with suppress(OSError):
                self._slot.unlink()  # until the next line the child is not ready
            self._write(self._slot, content)

    def read(self) -> Slot | None:
        """The content, None before the first child was ready."""
        try:
            return msgspec.json.decode(self._slot.read_bytes(), type=Slot)
        except FileNotFoundError:
            return None

    def mark_progress(self) -> None:
        """Say that the work goes on. A slot that somebody has removed is no matter of the work's."""
        with suppress(OSError):
            os.utime(self._slot)

    def progress_mark(self) -> int:
        """Changes with every `write` and `mark_progress`; 0 before the first."""
        try:
            return self._slot.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def ask_to_stop(self) -> None:
        """Tell the child to checkpoint and hand its task back. One that cannot be told is ended all the same."""
        with suppress(OSError):
            self._stop.touch()

    @property
    def stop_asked(self) -> bool:
        """Whether the parent wants the child to hand its task back."""
        return self._stop.exists()

    def recall(self, attempt: Attempt) -> None:
        """Tell the child to hand back, or give up, this attempt: its run stops, or another has superseded it.

        Raises SlotError.
        """
        self._write(self._recalled, msgspec.json.encode(attempt))

    def is_recalled(self, attempt: Attempt) -> bool:
        """Whether the child is to let go of this attempt."""
        try:
            return self._recalled.read_bytes() == msgspec.json.encode(attempt)
        except FileNotFoundError:
            return False

    def device_failed(self, said: str) -> None:
        """Note a failure for as long as the main process lives: a child that takes over must not forget it.

        Where there is no room it is not counted; the task says what the device said all the same.
        """
        line = msgspec.json.encode(DeviceFailure(time.monotonic(), said)) + b"\n"
        before = self._device_failures.read_bytes() if self._device_failures.exists() else b""
        with suppress(SlotError):
            self._write(self._device_failures, before + line)

    def benched(self) -> str | None:
        """What the device said last if it has failed twice within an hour: the worker takes nothing more; else None."""
        try:
            lines = self._device_failures.read_bytes().splitlines()
        except FileNotFoundError:
            return None
        failures = [msgspec.json.decode(line, type=DeviceFailure) for line in lines]
        for first, second in pairwise(failures):
            if second.at_s - first.at_s <= _BENCHED_WITHIN_S:
                return second.said
        return None

    def refuse(self, sentence: str) -> None:
        """Say why this child cannot work, nor one in its place: a device that is not there, a broken library."""
        try:
            self._write(self._refusal, sentence.encode())
        except SlotError:
            with suppress(OSError):
                self._refusal.touch()  # an empty file takes no room

    def refusal(self) -> str | None:
        """Why no child can work here, None if that is not known."""
        try:
            return self._refusal.read_text() or no_room(self.folder, os.strerror(errno.ENOSPC))
        except FileNotFoundError:
            return None

    @property
    def was_removed(self) -> bool:
        """Whether somebody has removed all of it."""
        return not self.folder.is_dir()

    @property
    def loss(self) -> str:
        """What people read when the slot is gone though nobody of ours removed it."""
        return removed(self._slot)

    def remove(self) -> None:
        """Delete the files; the worker is going."""
        shutil.rmtree(self.folder, ignore_errors=True)  # a child that died may have left more than these

    def _write(self, file: Path, content: bytes) -> None:
        """Replace a file's content, atomically. Raises SlotError, and leaves nothing then."""
        temporary = file.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_bytes(content)
            temporary.replace(file)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise SlotError(no_room(self.folder, str(error.strerror))) from error
