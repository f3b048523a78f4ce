"""How far a run is, read from what its journal has got since the last look."""

from __future__ import annotations

import json
from pathlib import Path

_STARTED, _OBSERVED = b'{"event":"run_started"', b'{"event":"observed"'
_GATHERED = b'"report":{"report":"gathered"'


class Glimpse:
    """Of one run; all are 0 until it has begun."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read_bytes = 0
        self.rows = 0  # that the policy has seen
        self.of_rows = 0
        self.triggers = 0
        self.models = 0
        self._first_key = 0

    def look(self) -> None:
        """Read on; a line that is not whole yet is for the next time."""
        try:
            with self._journal.open("rb") as journal:
                journal.seek(self._read_bytes)
                new = journal.read()
        except OSError:  # it has not begun
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        if line.startswith(_STARTED):
            said = json.loads(line)
            self._first_key, stop_key = said["first_key"], said["stop_key"]
            self.of_rows = (stop_key or 0) - self._first_key
        elif line.startswith(_OBSERVED):
            said = json.loads(line)
            self.rows = said["key"] + 1 - self._first_key
            self.triggers += len(said["triggers"])
        elif _GATHERED in line:
            self.models += 1
