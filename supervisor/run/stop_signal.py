"""Ctrl+C and SIGTERM: the first asks the run to stop cleanly, the second ends the process at once."""

from __future__ import annotations

import os
import signal


class StopSignal:
    """Remembers who asked the run to stop. Before `listen`, a signal raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked_by: str | None = None
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    def listen(self) -> None:
        """From now on the loop decides when to stop, for there is something to record."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked)

    def _asked(self, number: int, _: object) -> None:
        if self.asked_by is not None:
            os._exit(1)  # the kernel then ends our broker and our workers
        self.asked_by = signal.Signals(number).name
