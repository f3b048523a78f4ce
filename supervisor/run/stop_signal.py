"""Ctrl+C, SIGTERM and a terminal that is closed ask the run to stop cleanly; a Ctrl+C after that ends it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SPOKEN_TO = (1, 2)  # standard output and standard error


class StopSignal:
    """Remembers who asked the run to stop. Before `listen`, a signal raises KeyboardInterrupt.

    `at_once`: what is still done when a second Ctrl+C ends the process.
    """

    def __init__(self, at_once: Callable[[], object] = lambda: None) -> None:
        self._at_once = at_once
        self.asked_by: str | None = None
        self._listening = self._deferring = False
        self._terminals = [file for file in _SPOKEN_TO if os.isatty(file)]
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, self._asked)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let what is started here be noted first, so that it is also stopped. Raises KeyboardInterrupt at the end."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self.asked_by is not None:
            raise KeyboardInterrupt

    def listen(self) -> None:
        """From now on the loop decides when to stop, for there is something to record."""
        self._listening = True

    def over(self) -> None:
        """There is nothing to stop cleanly any more: from now on signals do what they do to any command."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == self._asked:
                signal.signal(number, signal.SIG_DFL)

    def _asked(self, number: int, _: object) -> None:
        if number == signal.SIGHUP:
            self._fall_silent()
        if self.asked_by is not None:
            if number == signal.SIGINT:
                self._at_once()
                os._exit(1)  # the kernel then ends our broker and our workers
            return  # whoever sends SIGTERM again, such as a second `stop`, wants nothing else than before
        self.asked_by = signal.Signals(number).name
        if not self._listening and not self._deferring:
            raise KeyboardInterrupt

    def _fall_silent(self) -> None:
        """Say to nobody what would be said to a terminal that is gone: it refuses every word with an error."""
        nobody = os.open(os.devnull, os.O_WRONLY)
        for file in self._terminals:
            if not os.isatty(file):
                os.dup2(nobody, file)
        os.close(nobody)
