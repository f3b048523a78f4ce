"""How far a run is that goes on, in a small file of its directory: for `runs`, which does not fold journals."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from supervisor.core.notices import Listener, RunEnded, Told
from supervisor.core.outlook import Outlook, outlook
from supervisor.core.state import RunState

_EVERY_S = 10.0
_NAME = ".progress.json"


class ProgressNote(Listener):
    """Written every ten seconds while something changes, and gone when the run has ended. Nothing depends on it."""

    def __init__(self, run_dir: Path, every_s: float = _EVERY_S) -> None:
        self._file, self._temporary, self._every_s = run_dir / _NAME, run_dir / f"{_NAME}.tmp", every_s
        self._due_s = time.monotonic() + every_s
        self._written: tuple[Outlook, int] | None = None

    def hear(self, told: Told) -> None:
        """A run that is over is told of by its summary."""
        if isinstance(told, RunEnded):
            for file in (self._temporary, self._file):
                with suppress(OSError):
                    file.unlink(missing_ok=True)

    def turn(self, state: RunState, rows: int) -> None:
        """Costs a look at the clock, unless it is due. A full disk is the journal's to tell of."""
        if time.monotonic() < self._due_s or state.status != "running":
            return
        self._due_s = time.monotonic() + self._every_s
        now = outlook(state), max(state.stream.observed_key + 1 - state.started.first_key, 0)
        if now == self._written:
            return
        self._written = now
        far, seen = now
        content = {**msgspec.to_builtins(far), "rows_seen": seen, "sentence": far.sentence}
        with suppress(OSError):  # nothing is made where the directory has gone
            self._temporary.write_bytes(json.dumps(content).encode())
            self._temporary.replace(self._file)


def progress_of(run_dir: Path) -> dict[str, Any]:
    """What was noted last; nothing of a run that began just now, or where it is of no use."""
    try:
        told = json.loads((run_dir / _NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if _is_whole(told) else {}


def _is_whole(told: Any) -> bool:
    """Whether it says what people are shown of it."""
    return isinstance(told, dict) and isinstance(told.get("sentence"), str) and isinstance(told.get("rows_seen"), int)
