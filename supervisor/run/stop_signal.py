"""Ctrl+C and SIGTERM ask the run to stop cleanly; a Ctrl+C after that ends the process at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class StopSignal:
    """Remembers who asked the run to stop. Before `listen`, a signal raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked_by: str | None = None
        self._listening = self._deferring = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let what is started here be noted first, so that it is also stopped. Raises KeyboardInterrupt at the end."""
        self._deferring = True
        yield
        self._deferring = False
        if self.asked_by is not None:
            raise KeyboardInterrupt

    def listen(self) -> None:
        """From now on the loop decides when to stop, for there is something to record."""
        self._listening = True

    def _asked(self, number: int, _: object) -> None:
        if self.asked_by is not None:
            if number == signal.SIGINT:
                os._exit(1)  # the kernel then ends our broker and our workers
            return  # whoever sends SIGTERM again, such as a second `stop`, wants nothing else than before
        self.asked_by = signal.Signals(number).name
        if not self._listening and not self._deferring:
            raise KeyboardInterrupt
