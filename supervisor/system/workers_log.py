"""The file in which a supervisor's own workers write: it goes with the run, or is removed unless it tells trouble."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)

_ERROR = "error: "  # begins what a worker says that ends by itself


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

    @property
    def last_words(self) -> str:
        """Of a worker that ended: its sentence, else what was said last."""
        said = self.lines or ["it said nothing."]
        last = next((line for line in reversed(said) if line.startswith(_ERROR)), said[-1])
        return last.removeprefix(_ERROR)
