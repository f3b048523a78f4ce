"""Says on the terminal of a worker that was started by hand when it is ready, and what it does; times are UTC."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from shared.names import Role
from workers.process.diary import Diary
from workers.process.lease_keeper import is_child
from workers.process.slot import SlotFile
from workers.process.told_work import ToldWork

_LOOK_EVERY_S = 0.2


class Terminal:
    """Looks at what the child notes, which costs two looks at a folder in memory."""

    def __init__(self, role: Role, hostname: str, slot: SlotFile) -> None:
        self._role, self._name, self._slot = role, hostname.partition("@")[0], slot
        self._diary, self._work = Diary(slot.folder), ToldWork()
        self._ready_pid: int | None = None

    def look(self) -> Iterator[str]:
        """What is new."""
        if (ready := self._ready()) is not None:
            yield ready
        yield from self._work.lines(self._diary.take())

    def rest(self) -> Iterator[str]:
        """What is left to be said when the worker ends."""
        for _ in range(2):  # the newest notes come at the second time
            yield from self._work.lines(self._diary.take())
        yield from self._work.rest()

    def _ready(self) -> str | None:
        """A line when a child can take tasks: the first one, and one that takes its place."""
        slot = self._slot.read()
        if slot is None or slot.pid == self._ready_pid or not is_child(slot.pid):
            return None
        again, self._ready_pid = self._ready_pid is not None, slot.pid
        device = slot.device if slot.device_name == slot.device else f"{slot.device} ({slot.device_name})"
        return f"worker {self._name} is ready{' again' * again}: {self._role} tasks, on {device}"


@contextmanager
def telling(terminal: Terminal, diary: Diary) -> Iterator[None]:
    """Tell from another thread, so that nothing that the worker does waits for a terminal."""
    diary.open()
    over = threading.Event()

    def tell() -> None:
        while not over.wait(_LOOK_EVERY_S):
            _say(terminal.look())

    thread = threading.Thread(target=tell, name="terminal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _say(terminal.rest())


def _say(lines: Iterator[str]) -> None:
    with suppress(OSError):  # the terminal is gone; the worker goes on
        for line in lines:
            print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.__stderr__, flush=True)
