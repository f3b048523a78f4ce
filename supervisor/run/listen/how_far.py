"""Says in the log now and then how far a run is that has much to do; nothing of one that is quick, or waits."""

from __future__ import annotations

import logging
import time

from supervisor.core.notices import Listener
from supervisor.core.outlook import Outlook, outlook
from supervisor.core.state import RunState

log = logging.getLogger(__name__)

_FIRST_S = 30.0  # after the session began, and at least between two lines
_LAST_S = 600.0  # at most
_SHARE = 0.05  # of the session's time so far


class HowFar(Listener):
    """A line when that is due and something has changed since the last one; ever more seldom in a long run."""

    def __init__(self, first_s: float = _FIRST_S) -> None:
        self._first_s = first_s
        self._began_s = time.monotonic()
        self._due_s = self._began_s + first_s
        self._said = Outlook()

    def turn(self, state: RunState, rows: int) -> None:
        """Costs a look at the clock, unless a line is due."""
        now_s = time.monotonic()
        if now_s < self._due_s or not state.tasks:
            return
        pause_s = min(max(self._first_s, _SHARE * (now_s - self._began_s)), _LAST_S)
        self._due_s = now_s + pause_s
        now = outlook(state)
        if now != self._said and now.sentence:
            self._said = now
            log.info("… %s", now.sentence, extra={"event": "progress"})
