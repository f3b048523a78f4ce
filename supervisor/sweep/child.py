"""One run of a sweep as a process of its own: a supervisor that starts no workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from shared.processes import end_with_parent
from supervisor.system.worker_process import PROJECT


class Child:
    """A supervisor that was started; it stops cleanly when it is asked to, and when the sweep ends in any way."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log, self._began_s = log, time.monotonic()
        with log.open("ab") as said:
            self._begins_at = said.tell()  # what an earlier session said stands before
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "supervisor", "run", *arguments],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl+C is for the sweep, which then asks each run
                preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - only calls the kernel
            )

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    @property
    def took_s(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._began_s

    def said(self) -> str:
        """What it has written."""
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
