"""For how long no worker has been heard of, by all who alert to that."""

from __future__ import annotations

import time

from shared.messages.reports import Progress, SetUp
from supervisor.core.notices import Listener, ResultCounted, TaskTaken, Told


class Silence(Listener):
    """Ends with whatever a worker takes or reports."""

    def __init__(self) -> None:
        self._heard_s = time.monotonic()

    def hear(self, told: Told) -> None:
        """Note that workers work."""
        if isinstance(told, ResultCounted | TaskTaken | Progress | SetUp):
            self._heard_s = time.monotonic()

    @property
    def lasts_s(self) -> float:
        """Since when."""
        return time.monotonic() - self._heard_s
