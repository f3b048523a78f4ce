"""What watches a run while it goes on; the loop shows it every turn, and it must not disturb the loop."""

from __future__ import annotations

from typing import Protocol

from shared.messages import Progress
from supervisor.core.state import RunState


class View(Protocol):
    """Somebody who watches."""

    def turn(self, state: RunState, rows: int) -> None:
        """The loop has turned: this is its state, and the dataset has so many rows."""
        ...

    def progress(self, report: Progress) -> None:
        """A worker said how far its training is."""
        ...


class Nobody:
    """The view of a run whose output is not a terminal."""

    def turn(self, state: RunState, rows: int) -> None:
        """Nothing is shown."""

    def progress(self, report: Progress) -> None:
        """Nothing is shown; log lines tell it."""
