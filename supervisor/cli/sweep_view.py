"""What is told of a sweep while it goes on: a line as a run begins or ends, and on a terminal how far each is."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from supervisor.sweep.glimpse import Glimpse
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.planned import Planned
from supervisor.sweep.sweep import Sweep, Watcher

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0


class SweepView(Watcher):
    """Log lines, and a table of the runs at work where there is a terminal. A context."""

    def __init__(self, terminal: Console | None, sweep: Sweep) -> None:
        self._total, self._place = sweep.total, sweep.place
        self._numbers: dict[str, int] = {}
        self._glimpses: dict[str, Glimpse] = {}
        self._looked_s = 0.0
        self._live = None if terminal is None else Live(console=terminal, refresh_per_second=2, transient=True)

    def __enter__(self) -> SweepView:
        (self._live or nullcontext()).__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        (self._live or nullcontext()).__exit__(kind, error, at)

    def begins(self, run: Planned, number: int, *, resumed: bool) -> None:
        """Say so."""
        self._numbers[run.combination.name] = number
        log.info("→ %d of %d: %s %s", number, self._total, run.combination.title, "goes on" if resumed else "begins")

    def ended(self, run: Planned, came_to: Outcome, took_s: float) -> None:
        """Say how, and where to read more of what failed."""
        self._glimpses.pop(came_to.name, None)
        place = f"← {self._numbers[came_to.name]} of {self._total}: {run.combination.title}"
        if came_to.status == "finished":
            log.info("%s finished: %s, %.0f s", place, came_to.score, took_s)
        elif came_to.status == "failed":
            log.error("%s failed: %s (%s)", place, came_to.reason, self._place.log(came_to.name))
        else:
            log.info("%s %s", place, came_to.reason)

    def turn(self, running: Mapping[str, Path]) -> None:
        """Show how far each is, once a second."""
        if self._live is None or time.monotonic() < self._looked_s + _LOOK_EVERY_S:
            return
        self._looked_s = time.monotonic()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, folder in running.items():
            glimpse = self._glimpses.setdefault(name, Glimpse(folder / "journal.jsonl"))
            glimpse.look()
            table.add_row(Text(name), _far(glimpse))  # brackets of a list are no markup
        self._live.update(table)


def _far(glimpse: Glimpse) -> str:
    if not glimpse.of_rows:
        return "is being prepared"
    rows = f"{glimpse.rows:,} of {glimpse.of_rows:,} rows"
    return f"{rows} · {glimpse.triggers} triggers · {glimpse.models} models"
