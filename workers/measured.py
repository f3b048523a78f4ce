"""What a worker's child measures of its work, and how its main process, which is asked for it, comes to know."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

_WRITE_EVERY_S = 1.0


class Measured(msgspec.Struct, kw_only=True):
    """Since the worker started, by all children that it has had."""

    ended: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)  # kind → outcome → tasks
    busy_s: dict[str, float] = msgspec.field(default_factory=dict)  # kind → how long these took
    trained_rows: int = 0  # each as often as it was learned from
    loss: float | None = None  # the newest
    device_bytes: int | None = None  # of the GPU's memory that the child holds


class MeasuredFile:
    """A file in the slot's folder, in memory. It is replaced whole, so that who reads it sees no half."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "measured"

    def read(self) -> Measured:
        """All zero before there is anything."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Measured)
        except (OSError, msgspec.MsgspecError):
            return Measured()

    def write(self, measured: Measured) -> None:
        """Replace it. Where there is no room the figures are old: no task is to suffer from that."""
        temporary = self._file.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_bytes(msgspec.json.encode(measured))
            temporary.replace(self._file)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


class Measurements:
    """The child's side: it counts on where the child before it ended, and writes once a second at most."""

    def __init__(self, folder: Path | None, device_bytes: Callable[[], int | None]) -> None:
        """`folder`: None where nobody asks, so nothing is written."""
        self._file = None if folder is None else MeasuredFile(folder)
        self._measured = Measured() if self._file is None else self._file.read()
        self._device_bytes = device_bytes
        self._write_from_s = 0.0

    def task_ended(self, kind: str, outcome: str, seconds: float) -> None:
        """A task is done, failed or released."""
        ended = self._measured.ended.setdefault(kind, {})
        ended[outcome] = ended.get(outcome, 0) + 1
        self._measured.busy_s[kind] = self._measured.busy_s.get(kind, 0.0) + seconds
        self._write()

    def learned(self, rows: int, loss: float) -> None:
        """A training has learned from so many rows more."""
        self._measured.trained_rows += rows
        self._measured.loss = loss
        if time.monotonic() >= self._write_from_s:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        self._write_from_s = time.monotonic() + _WRITE_EVERY_S
        self._measured.device_bytes = self._device_bytes()
        self._file.write(self._measured)
