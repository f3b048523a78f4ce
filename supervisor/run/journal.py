"""journal.jsonl: appended and fsynced before anything acts on it; a torn last line is cut off when it is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from shared.durable import sync
from shared.errors import RunFailedError
from supervisor.core.events import AnyEvent, event_of

_BLOCK_BYTES = 65_536


def events_in(path: Path) -> Iterator[AnyEvent]:
    """The events so far, in order. A torn last line did not happen, or is about to; nothing is changed.

    Raises OSError, and RunFailedError for a line that is not an event.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield event_of(line)
            except msgspec.MsgspecError as error:
                raise RunFailedError(
                    f"{path}:{number}: not an event of this version ({error}). Restore it from a copy."
                ) from error


class Journal:
    """The one truth of a run, opened for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cut_torn_line()
        new = not path.exists()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if new:
            sync(path.parent)

    def append(self, events: Sequence[AnyEvent]) -> None:
        """Write the events with one fsync; they are on disk when this returns. Raises RunFailedError."""
        self._refuse_if_gone()
        body = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
        size = os.fstat(self._file).st_size
        try:
            while body:
                body = body[os.write(self._file, body) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, size)
            raise RunFailedError(
                f"{self.path} could not be written: {error.strerror}. Make room on that disk, then --resume."
            ) from error

    def _refuse_if_gone(self) -> None:
        """What is written to a file that has lost its name is lost when it is closed."""
        try:
            there = self.path.stat()
        except OSError:
            there = None
        if there is None or not os.path.samestat(there, os.fstat(self._file)):
            raise RunFailedError(
                f"{self.path} was moved, deleted or replaced while the run went on. Bring back the newest copy, then "
                "--resume."
            )

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    def _cut_torn_line(self) -> None:
        """A crash can leave half a line, whose commands never went out: the event did not happen.

        Only the end of the file is read, back to the last line's.
        """
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            size = start = file.seek(0, os.SEEK_END)
            found = -1
            while start > 0 and found < 0:
                stop, start = start, max(0, start - _BLOCK_BYTES)
                file.seek(start)
                found = file.read(stop - start).rfind(b"\n")
            whole = start + found + 1
            if whole < size:
                file.truncate(whole)
