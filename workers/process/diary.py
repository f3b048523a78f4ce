"""What a worker's child notes of its tasks for the main process to tell: when one begins, and what became of it.

Only where the main process has opened the diary; nothing depends on it, so what cannot be noted is left out.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

Outcome = Literal["done", "failed", "released", "superseded"]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A task begins, or it is over."""

    kind: str
    trigger: int
    pipeline: str
    outcome: Outcome | None = None  # None: it begins
    took_s: float = 0.0
    sentence: str = ""  # why it failed


class Diary:
    """A file in the worker's folder, seen from either side."""

    def __init__(self, worker_folder: Path) -> None:
        self._folder = worker_folder / "diary"
        self._file, self._taken = self._folder / "notes", self._folder / "taken"

    def open(self) -> None:
        """Have the child write. Raises OSError."""
        self._folder.mkdir(exist_ok=True)

    def write(self, note: Note) -> None:
        """Append a note, if anybody reads."""
        if self._folder.is_dir():
            with suppress(OSError), self._file.open("ab") as file:
                file.write(msgspec.json.encode(note) + b"\n")

    def take(self) -> list[Note]:
        """All notes up to the last time that this was asked; the newer ones come with the next: they may be half."""
        lines: list[bytes] = []
        with suppress(OSError):
            lines = self._taken.read_bytes().splitlines()
            self._taken.unlink()
        with suppress(OSError):
            self._file.rename(self._taken)
        return [note for note in map(_note, lines) if note is not None]


def _note(line: bytes) -> Note | None:
    try:
        return msgspec.json.decode(line, type=Note)
    except msgspec.DecodeError:  # the disk was full
        return None
