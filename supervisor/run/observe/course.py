"""How a run has gone, as far as a trigger policy hears of it: a run's state is one, and so is a replay's."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

from supervisor.core.seen import Fired


class Outcome(Protocol):
    """A trigger, and what became of it."""

    @property
    def fired(self) -> Fired:
        """The decision."""

    @property
    def samples(self) -> int:
        """Rows that were selected."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is trained for it."""

    @property
    def took_s(self) -> float | None:
        """Seconds that workers trained, all members; None: there is no model."""


class Course(Protocol):
    """All triggers so far."""

    @property
    def experiment(self) -> bool:
        """Whether a recorded stream is replayed, and so a policy that hears of trainings waits for each."""

    @property
    def triggers(self) -> Sized:
        """How many there are."""

    def trigger(self, index: int) -> Outcome:
        """The trigger with this id."""
