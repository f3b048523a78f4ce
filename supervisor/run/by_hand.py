"""Triggers that people ask for by hand: a request is a file of the run directory until the journal has its answer."""

from __future__ import annotations

import mmap
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from shared import durable
from shared.timestamps import now_us
from supervisor.core.events import Declined, Observed, event_of
from supervisor.core.seen import Fired

_FOLDER = ".asked"
_ASKED, _TAKEN = ".json", ".taken"
_LOOK_EVERY_S = 0.2


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants a trigger now."""

    id: str
    why: str


class ByHand:
    """The requests of one run, for its supervisor.

    A request is taken up by renaming its file, so that it cannot be withdrawn meanwhile. The line of the journal that
    answers it holds its id, and only then the file is removed: a crash in between leaves one that was answered.
    """

    def __init__(self, run_dir: Path, journal: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._journal, self._clock_s = run_dir / _FOLDER, journal, clock_s
        self._files: dict[str, Path] = {}  # request → its file
        self._answered: set[str] = set()  # also those whose file cannot be removed
        self._next_s = 0.0

    def asked(self) -> list[Request]:
        """What is to be answered, the oldest first; looked for a few times a second."""
        if self._clock_s() < self._next_s:
            return []
        self._next_s = self._clock_s() + _LOOK_EVERY_S
        found = [self._taken(file) for file in sorted(self._folder.glob("*-*"))]
        return [one for one in found if one is not None]

    def answered(self, request: Request) -> None:
        """The journal has the answer."""
        self._answered.add(request.id)
        with suppress(OSError):
            self._files[request.id].unlink(missing_ok=True)

    def _taken(self, file: Path) -> Request | None:
        """None for what is no request, was withdrawn, or is answered."""
        if file.suffix not in (_ASKED, _TAKEN):
            return None
        try:
            taken = file.rename(file.with_suffix(_TAKEN))
            request = msgspec.json.decode(taken.read_bytes(), type=Request)
        except (OSError, msgspec.MsgspecError):
            return None
        self._files[request.id] = taken
        if request.id in self._answered:
            return None
        if self._is_journaled(request):
            self.answered(request)
            return None
        return request

    def _is_journaled(self, request: Request) -> bool:
        """Whether a session that was killed has answered it. Such a line is all that has its id."""
        with self._journal.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
            return lines.find(request.id.encode()) >= 0


class Asking:
    """One request, for who asks."""

    def __init__(self, run_dir: Path, journal: Path, why: str) -> None:
        """Ask. Raises OSError."""
        self._journal, self._id = journal, uuid.uuid4().hex
        self._read_bytes = journal.stat().st_size
        self._file = run_dir / _FOLDER / f"{now_us()}-{self._id}{_ASKED}"
        hidden = self._file.with_suffix(".tmp")
        durable.write(hidden, msgspec.json.encode(Request(id=self._id, why=why)))
        hidden.rename(self._file)
        durable.sync(self._file.parent)

    def answer(self) -> Fired | Declined | None:
        """What the journal says by now; None: nothing yet. Raises OSError, and MsgspecError for what is no answer."""
        with self._journal.open("rb") as lines:
            lines.seek(self._read_bytes)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                if self._id.encode() in line and (found := self._answer_in(line)) is not None:
                    return found
        return None

    def _answer_in(self, line: bytes) -> Fired | Declined | None:
        event = event_of(line)
        if isinstance(event, Declined):
            return event
        fired = event.triggers if isinstance(event, Observed) else ()
        return next((one for one in fired if one.request == self._id), None)

    def withdraw(self) -> bool:
        """Ask no longer; whether nobody has taken it up, nor ever will. Raises OSError."""
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        return True
