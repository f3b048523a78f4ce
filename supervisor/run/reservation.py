"""Keeps the name of a run directory that does not exist yet, so that of two runs started at once each has its own, and
says who waits for a run to begin there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from shared.errors import RunTakenError
from supervisor.run.lock import Holder, holder_of, sign, take, try_lock


class Reservation:
    """That of one name, for this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._note = path.with_name(f".{path.name}.reserved")
        self._file: int | None = None
        self._made: list[Path] = []

    def take(self) -> bool:
        """Keep the name until `release`; whether nobody else has it."""
        try:
            if self._path.exists():
                return False
            self._make_parent()
            file = os.open(self._note, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # whoever makes the directory will say what the matter is
            return True
        if try_lock(file) and os.fstat(file).st_nlink and not self._path.exists():
            self._file = file
            return True
        os.close(file)
        return False

    def sign(self) -> None:
        """Let others see who waits for a run to begin here. Raises RunTakenError if somebody does."""
        if self._file is None:
            try:
                self._make_parent()
                self._file = os.open(self._note, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError:  # whoever makes the directory will say what the matter is
                return
            taken_by = take(self._file)
            if taken_by is not None:
                os.close(self._file)
                self._file = None
                raise RunTakenError(
                    f"another supervisor, {taken_by}, waits for a run to begin in {self._path}; stop it first with "
                    f"./modyn-supervisor stop {self._path}, or name another --run-dir."
                )
        sign(self._file)

    def waiting(self) -> Holder | None:
        """Who waits for a run to begin here, if anybody does. Raises OSError."""
        found = holder_of(self._note)
        return found if found is not None and found.pid else None

    def _make_parent(self) -> None:
        parent = self._path.parent
        self._made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        parent.mkdir(parents=True, exist_ok=True)

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
