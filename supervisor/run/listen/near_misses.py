"""Which near misses the log has: one in a while, with how many there were before it, and the last before a trigger."""

from __future__ import annotations

import time

from supervisor.core.notices import TriggerConsidered

EVERY_S = 10.0


class NearMisses:
    """All are in the journal; a policy that looks at every row would fill the log with them."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s, self._due_s = every_s, 0.0
        self._kept: TriggerConsidered | None = None  # the last one, if it is not told yet
        self._before = 0  # those before it that nobody was told of

    def hear(self, told: TriggerConsidered) -> None:
        """One more; whether it is told, `take_due` and `take_last` say."""
        self._before += self._kept is not None
        self._kept = told

    def take_due(self) -> tuple[TriggerConsidered, str] | None:
        """The last one with its line, if it is not told yet and the line before was long ago."""
        return self.take_last() if time.monotonic() >= self._due_s else None

    def take_last(self) -> tuple[TriggerConsidered, str] | None:
        """The last one with its line, if it is not told yet."""
        if self._kept is None:
            return None
        told, before = self._kept, self._before
        self._kept, self._before, self._due_s = None, 0, time.monotonic() + self._every_s
        also = f" (and at {before:,} look{'' if before == 1 else 's'} before)" if before else ""
        return told, f"  no trigger at key {told.considered.key}: {told.considered.reason}{also}"
