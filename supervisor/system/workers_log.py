"""The file in which a supervisor's own workers write: it goes with the run, or is removed unless it tells trouble."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

log = logging.getLogger(__name__)

_ERROR = "error: "  # begins what a worker says that ends by itself
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\S+): ")  # begins what it logs: when, and which worker
_LAST = 3  # lines of one that ended otherwise
_LONG = 300  # characters, of a line that is told among others
_END_BYTES = 16_384  # of the log, for these lines


class WorkersLog:
    """Workers have it open, wherever it lies."""

    def __init__(self, path: Path, *, is_kept: bool = False) -> None:
        self.path = path
        self._is_kept = is_kept

    def keep_at(self, place: Path) -> None:
        """Give it its place in the run directory; those who have it open go on writing to it."""
        if self.path == place:
            return
        self.keep()
        try:
            self.path.rename(place)
            self.path = place
        except OSError as error:
            log.warning("! the workers' log stays at %s: %s", self.path, error.strerror)

    def keep(self) -> None:
        """Leave it where it is, for people to read."""
        self._is_kept = True

    def remove(self) -> None:
        """Unless it is kept."""
        if not self._is_kept:
            self.path.unlink(missing_ok=True)

    @property
    def lines(self) -> list[str]:
        """What the workers said."""
        return self.path.read_text(errors="replace").strip().splitlines() if self.path.exists() else []

    def last_words(self, worker: str, from_byte: int = 0) -> str:
        """Of a worker that ended, which wrote from there on: its sentence, else its last lines, in one line."""
        said = [line for line in map(_clean, self._end(from_byte)) if line]
        own = [line for line in said if (name := _named(line)) is None or name.startswith(worker)]
        last = next((line for line in reversed(own) if line.startswith(_ERROR)), None)
        if last is not None:
            return last.removeprefix(_ERROR)
        return " / ".join(_STAMP.sub("", line)[:_LONG] for line in own[-_LAST:]) or "it said nothing."

    def _end(self, from_byte: int) -> list[str]:
        try:
            with self.path.open("rb") as file:
                file.seek(max(from_byte, file.seek(0, os.SEEK_END) - _END_BYTES))
                return file.read().decode(errors="replace").splitlines()
        except OSError:
            return []


def _clean(line: str) -> str:
    """Without what is there for a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", line).strip()


def _named(line: str) -> str | None:
    """Which worker a line is of; None for what libraries and the system write beside our log."""
    found = _STAMP.match(line)
    return None if found is None else found[1]
