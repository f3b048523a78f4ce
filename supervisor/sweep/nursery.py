"""The processes of a sweep's runs: supervisors, each forked from a process that has loaded what they all need.

To load it takes a second of processor time, and memory that they can share. Python's fork server does it: it is started
before anything else, and has no thread of ours and no connection.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import forkserver
from pathlib import Path

from shared.processes import end_with_parent

Command = Callable[[Sequence[str]], None]  # the command line: ends the process with its exit code


class Nursery:
    """Starts supervisors. What they run is `command`, which has to be found by its name in a module."""

    def __init__(self, command: Command, loads: Sequence[str]) -> None:
        """`loads`: modules that are loaded before the first is forked."""
        self._command = command
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(loads))
        told = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it goes on when a terminal is closed, as Ctrl+C is no end
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGHUP, told)

    def start(self, arguments: Sequence[str], log: Path) -> Child:
        """A supervisor with this command line; what it says goes to the end of `log`."""
        return Child(self._context.Process(target=_be, args=(self._command, list(arguments), str(log))), log)


class Child:
    """A supervisor that was started; it stops cleanly when it is asked to, and when the sweep ends in any way."""

    def __init__(self, process: multiprocessing.context.ForkServerProcess, log: Path) -> None:
        self.log, self._began_s = log, time.monotonic()
        self._begins_at = log.stat().st_size if log.exists() else 0  # what an earlier session said stands before
        self._process = process
        process.start()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    @property
    def took_s(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._began_s

    def said(self) -> str:
        """What it has written."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._begins_at)
            return log.read().decode(errors="replace")

    def ask_to_stop(self) -> None:
        """Have it stop cleanly; it can be resumed."""
        if self.code is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        if self.code is None:
            self._process.kill()


def _be(command: Command, arguments: list[str], log: str) -> None:
    """In the new process: become the supervisor of one run."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until the command has its own answer
    os.setsid()  # Ctrl+C is for the sweep, which then asks each run
    end_with_parent(os.getppid(), signal.SIGTERM)
    said, nothing = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(file, number)
    threading.Thread(target=_stop_with_sweep, daemon=True).start()
    command(arguments)


def _stop_with_sweep() -> None:
    """Wait until the sweep's process has ended, and stop the run as whoever asks it to."""
    sweep = multiprocessing.parent_process()
    if sweep is not None:
        sweep.join()
        os.kill(os.getpid(), signal.SIGTERM)
