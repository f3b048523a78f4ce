"""Another process, which gets a signal at one of its acts on disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_ACTS = {"open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}


class Elsewhere:
    """A process that does something, and gets a signal just before its n-th act on the disk below a folder.

    A context: it is ended with the test.
    """

    def __init__(self, folder: Path, act: Callable[[], object], at: int, number: int) -> None:
        self._pid = os.fork()
        self._over = False
        if self._pid == 0:
            try:
                _signal_at(folder, at, number)
                act()
                os._exit(0)
            finally:
                os._exit(1)

    def wait(self) -> int | None:
        """Its exit code; None while it is stopped, −9 if it was killed."""
        _, status = os.waitpid(self._pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return None
        self._over = True
        return os.waitstatus_to_exitcode(status)

    def go_on(self) -> int | None:
        """Wake it; its exit code."""
        os.kill(self._pid, signal.SIGCONT)
        return self.wait()

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._over:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def _signal_at(folder: Path, at: int, number: int) -> None:
    """Have this process get a signal just before its n-th act on the disk."""
    acts = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal acts
        if event in _ACTS and str(folder) in str(arguments[0]):
            acts += 1
            if acts == at:
                os.kill(os.getpid(), number)

    sys.addaudithook(hook)
