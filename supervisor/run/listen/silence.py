"""For how long nobody has worked although there is work, for all who alert to that."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.messages.reports import Progress, SetUp
from supervisor.core.notices import Listener, ResultCounted, TaskTaken, Told
from supervisor.core.state import RunState


class Silence(Listener):
    """Ends with whatever a worker takes or reports, and does not begin before there is a task for one."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._since_s = clock_s()

    def hear(self, told: Told) -> None:
        """Note that workers work."""
        if isinstance(told, ResultCounted | TaskTaken | Progress | SetUp):
            self._since_s = self._clock_s()

    def turn(self, state: RunState, rows: int) -> None:
        """A run may wait for rows for days; what then is to be done nobody has been silent about."""
        if not state.tasks:
            self._since_s = self._clock_s()

    @property
    def lasts_s(self) -> float:
        """How long it has been."""
        return self._clock_s() - self._since_s
