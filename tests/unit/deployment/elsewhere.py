"""Another process, which gets a signal at one of its acts on disk, or whose disk refuses that act."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from shared.errors import ArtifactError

SAID = 3
_ACTS = {"open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}


class Elsewhere:
    """A process that does something, and gets a signal just before its n-th act on the disk below a folder.

    `number`: of the signal. `refused`: what the disk answers to that act then. A context: it is ended with the test.
    """

    def __init__(
        self, folder: Path, act: Callable[[], object], at: int, number: int, refused: OSError | None = None
    ) -> None:
        self._pid = os.fork()
        self._over = False
        if self._pid == 0:
            try:
                _at_act(folder, at, number, refused)
                act()
                os._exit(0)
            except ArtifactError as error:
                os._exit(SAID if "--resume" in str(error) else 1)
            finally:
                os._exit(1)

    def wait(self) -> int | None:
        """Its exit code, `SAID` if it raised an ArtifactError with a remedy; None while it is stopped, −9 if killed."""
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


def _at_act(folder: Path, at: int, number: int, refused: OSError | None) -> None:
    """Have this process get a signal, or an error, just before its n-th act on the disk."""
    acts = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal acts
        if event in _ACTS and str(folder) in str(arguments[0]):
            acts += 1
            if acts == at:
                os.kill(os.getpid(), number)
                if refused is not None:
                    raise refused

    sys.addaudithook(hook)
