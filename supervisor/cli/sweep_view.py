"""What is told of a sweep while it goes on: a line as a run begins or ends, and on a terminal how far each is."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shared.words import counted
from supervisor.run.glance import Glance, Glances
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.planned import Planned
from supervisor.sweep.sweep import Sweep, Watcher

log = logging.getLogger(__name__)

_LOOK_EVERY_S, _TELL_EVERY_S = 1.0, 60.0


class SweepView(Watcher):
    """Log lines; how far the runs at work are a table shows where there is a terminal, else lines now and then do.

    A context.
    """

    def __init__(self, terminal: Console | None, sweep: Sweep, *, tell_every_s: float = _TELL_EVERY_S) -> None:
        self._total, self._place = sweep.total, sweep.place
        self._titles = {one.name: one.title for one in sweep.runs}
        self._numbers: dict[str, int] = {}
        self._journals: dict[str, Glances] = {}
        self._every_s = tell_every_s if terminal is None else _LOOK_EVERY_S
        self._looked_s = time.monotonic() if terminal is None else -math.inf
        self._live = None if terminal is None else Live(console=terminal, refresh_per_second=2, transient=True)

    def __enter__(self) -> SweepView:
        (self._live or nullcontext()).__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        (self._live or nullcontext()).__exit__(kind, error, at)

    def begins(self, run: Planned, number: int, *, resumed: bool) -> None:
        """Say so."""
        self._numbers[run.name] = number
        log.info("→ %d of %d: %s %s", number, self._total, run.title, "goes on" if resumed else "begins")

    def ended(self, run: Planned, came_to: Outcome, took_s: float) -> None:
        """Say how, and where to read more of what failed."""
        self._journals.pop(came_to.name, None)
        place = f"← {self._numbers[came_to.name]} of {self._total}: {run.title}"
        if came_to.status == "finished":
            log.info("%s finished: %s, %.0f s", place, came_to.score, took_s)
        elif came_to.status == "failed":
            log.error("%s failed: %s (%s)", place, came_to.reason, self._place.log(came_to.name))
        else:
            log.info("%s %s", place, came_to.reason)

    def turn(self, running: Mapping[str, Path]) -> None:
        """Show or tell how far each is."""
        if time.monotonic() < self._looked_s + self._every_s:
            return
        self._looked_s = time.monotonic()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, folder in running.items():
            far = _far(self._journals.setdefault(name, Glances(folder / "journal.jsonl")))
            table.add_row(Text(self._titles[name]), far)  # brackets of a list are no markup
            if self._live is None:
                log.info("… %d of %d: %s: %s", self._numbers[name], self._total, self._titles[name], far)
        if self._live is not None:
            self._live.update(table)


def _far(journal: Glances) -> str:
    seen = Glance()
    with suppress(OSError, ValueError):  # it has not begun, or its supervisor says what is wrong
        seen = journal.look()
    if seen.stop_key is None:
        return "is being prepared"
    rows = f"{seen.rows:,} of {seen.stop_key - seen.first_key:,} rows"
    return f"{rows} · {counted(seen.triggers, 'trigger')} · {counted(seen.models, 'model')}"
