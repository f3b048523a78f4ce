"""When a run looks for new files and lines: every so often, and soon after something was announced."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.config.system import Notification
from shared.dataset.growth import Rest, rest_s
from supervisor.core.events import AnyEvent
from supervisor.run.observe.announcements import Announcements

_SHARE = 4  # looks for announcements leave this many times the time that they take to all else


class Looks:
    """Says when one is due, and acknowledges what it was for."""

    def __init__(
        self,
        notification: Notification,
        announcements: Announcements | None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every_s, self._announcements, self._clock_s = notification.every_s, announcements, clock_s
        self._waits_s, self._quiet_s = notification.waits_s, -math.inf
        self.rest = Rest(rest_s(notification.waits_s), to_the_end=False)
        self._next_s = -math.inf
        self._announced_from_s = -math.inf

    @property
    def are_due(self) -> bool:
        """Whether it is time for one."""
        now_s = self._clock_s()
        if self._announcements is not None and self._announcements.wants_a_look and now_s >= self._announced_from_s:
            return True
        return now_s >= self._next_s

    def quiet_is_due(self) -> bool:
        """Whether the policy is to be asked what follows from there being no rows: also where looks are rare."""
        now_s = self._clock_s()
        if now_s < self._quiet_s:
            return False
        self._quiet_s = now_s + self._waits_s
        return True

    @contextmanager
    def one(self) -> Iterator[None]:
        """A look, and the journaling of what it finds: only then what was announced before it is acknowledged."""
        began_s, announcements = self._clock_s(), self._announcements
        self._next_s = began_s + self._every_s
        taken = announcements.take() if announcements is not None else []
        yield
        if announcements is not None:
            announcements.looked(taken)
        ended_s = self._clock_s()
        self._announced_from_s = ended_s + _SHARE * (ended_s - began_s)
        if taken:  # the last line of a file that was announced may wait until nobody has written for a while
            self._next_s = min(self._next_s, ended_s + self.rest.at_rest_s)

    def happened(self) -> list[AnyEvent]:
        """What is to be journaled of announcements."""
        return self._announcements.happened() if self._announcements is not None else []

    def leave(self) -> list[AnyEvent]:
        """No look is due any more: nothing announced is heard; what is to be journaled of that."""
        return self._announcements.leave() if self._announcements is not None else []
