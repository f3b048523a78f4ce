"""What Celery logs, as people should read it: each thing once a minute at most, and an end in one sentence."""

from __future__ import annotations

import logging
import sys
import time

from shared.blame import blame
from shared.errors import ModynError

_SAY_AGAIN_S = 60.0


class Seldom(logging.Filter):
    """Lets a message through once a minute, whatever its numbers: Celery tells of each try to connect."""

    def __init__(self) -> None:
        super().__init__()
        self._from_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it was not said lately."""
        now_s = time.monotonic()
        if now_s < self._from_s.get(str(record.msg), 0.0):
            return False
        self._from_s[str(record.msg)] = now_s + _SAY_AGAIN_S
        return True


class EndInOneSentence(logging.Filter):
    """Says what ended the main process in place of a traceback, which leads through Celery alone."""

    def __init__(self, with_traceback: bool) -> None:
        super().__init__()
        self._with_traceback = with_traceback
        self.exit_code = 0  # Celery's own is also 1 after Ctrl+C, and it is told to nobody

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is anything else, or the traceback is wanted."""
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.CRITICAL or error is None:
            return True
        self.exit_code = ModynError.exit_code
        if not self._with_traceback:
            sys.stderr.write(
                f"error: the worker cannot go on: {blame(error)}. It ends; what it was at is published again. "
                "Start it anew, with --debug to see the traceback.\n"
            )
        return self._with_traceback


class PlainLines(logging.Formatter):
    """One line: when, in UTC, which worker, and what; a traceback behind it, where there is one."""

    converter = staticmethod(time.gmtime)

    def __init__(self, hostname: str) -> None:
        name = hostname.partition("@")[0].replace("%", "%%")
        super().__init__(f"%(asctime)s {name}: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
