"""Keeps the name of a run directory that does not exist yet, so that of two runs started at once each has its own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from supervisor.run.lock import try_lock


class Reservation:
    """That of one name, for this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._note = path.with_name(f".{path.name}.reserved")
        self._file: int | None = None
        self._made: list[Path] = []

    def take(self) -> bool:
        """Keep the name until `release`; whether nobody else has it."""
        parent = self._path.parent
        try:
            if self._path.exists():
                return False
            made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
            parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._note, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # whoever makes the directory will say what the matter is
            return True
        if try_lock(file) and os.fstat(file).st_nlink and not self._path.exists():
            self._file, self._made = file, made
            return True
        os.close(file)
        return False

    def release(self) -> None:
        """Keep the name no longer; folders that were made for that go, too, if they are empty."""
        if self._file is None:
            return
        self._note.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()
