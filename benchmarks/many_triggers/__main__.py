"""`python -m benchmarks.many_triggers --triggers 100000`: what a trigger costs when there were many before it.

A real supervisor in experiment mode, with a real Redis and a real journal; the work alone is none: one process takes
the messages, claims and reports, and writes objects of a few bytes. Everything lies in one folder, by default in
memory: then an fsync costs nothing, and what is seen is what the supervisor computes.

Printed is a line for each tenth of the triggers: the time, and the supervisor's and the fleet's processor time, of one
trigger in it; then journal, Redis and the supervisor's memory so far, and the messages that wait. Bound: a trigger of
the last tenth takes at most a fifth more time than one of the first. On a machine that does other things too, look at
`cpu_ratio` beside it: the same for the supervisor's processor time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.many_triggers.marks import Follower, Mark
from benchmarks.many_triggers.scene import Scene, Variant
from benchmarks.many_triggers.scraper import Scraper
from benchmarks.processes import end_in_order_when_asked
from shared.temporary import MEMORY

SLOWER_AT_MOST = 1.2
SCRAPES_AT_MOST = 0.01  # of all that the supervisor computes
_COLUMNS = ("triggers", "time", "supervisor cpu", "fleet cpu", "journal", "Redis", "supervisor", "queued")
_MB = 1e6


def main() -> None:
    """Measure; exit 1 if time per trigger grew by more than the bound, or metrics cost more than theirs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_triggers", description=__doc__.splitlines()[0])
    parser.add_argument("--triggers", type=int, default=100_000)
    parser.add_argument("--no-gate", action="store_true", help="without deployment")
    parser.add_argument("--gate-triggers", type=int, default=5, help="the gate's window reaches back so many triggers")
    parser.add_argument("--windows", action="store_true", help="with an `every` window, a slice a trigger")
    parser.add_argument("--independent", action="store_true", help="trainings that do not continue from each other")
    parser.add_argument("--backlog", action="store_true", help="evaluations wait until all triggers have their models")
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None, help="where all of it lies")
    parser.add_argument("--profile", type=Path, help="write the supervisor's cProfile there; it is slower then")
    parser.add_argument("--scrape-every", type=float, metavar="SECONDS", help="ask the supervisor for its metrics")
    options = parser.parse_args()
    end_in_order_when_asked()
    variant = Variant(
        gate=not options.no_gate,
        gate_triggers=options.gate_triggers,
        slices=options.windows,
        dependent=not options.independent,
        backlog=options.backlog,
    )
    with tempfile.TemporaryDirectory(prefix="modyn-many-", dir=options.folder) as folder:
        profile = options.profile.resolve() if options.profile else None
        scene = Scene(folder=Path(folder) / "s", triggers=options.triggers, variant=variant, profile=profile)
        scene.metrics = options.scrape_every is not None
        scraper = Scraper(scene, options.scrape_every) if scene.metrics else None
        marks = _measure(scene, scraper)
    told = _told(marks)
    if scraper is not None:
        asked = scraper.told()
        cheap = asked["scrape_share_of_cpu"] <= SCRAPES_AT_MOST and not asked["new_series"]
        told |= {**asked, "good": told["good"] and cheap}
    print(json.dumps({"folder": str(options.folder or tempfile.gettempdir()), **told}))
    sys.exit(0 if told["good"] else 1)


def _measure(scene: Scene, scraper: Scraper | None) -> list[Mark]:
    """The marks of a whole run; each tenth is printed as it ends."""
    try:
        scene.start()
        if scraper is not None:
            scraper.start()
        marks = list(Follower(scene).marks())
        code = scene.supervisor.wait()
        if code != 0:
            raise RuntimeError(f"exit {code}: {scene.said()}")
    finally:
        scene.end()
    _print(marks)
    return marks


def _told(marks: list[Mark]) -> dict[str, Any]:
    """Time per trigger at both ends; what a trigger adds, from the first tenth's end to the last's."""
    first, last = (_per_trigger(before, after) for before, after in (marks[:2], marks[-2:]))
    first_ms, last_ms = first["time"], last["time"]
    early, late = marks[1], marks[-1]
    count = late.triggers - early.triggers
    return {
        "triggers": late.triggers,
        "first_tenth_ms": round(first_ms, 2),
        "last_tenth_ms": round(last_ms, 2),
        "ratio": round(last_ms / first_ms, 3),
        "cpu_ratio": round(last["supervisor"] / first["supervisor"], 3),
        "cpu_ms_per_trigger": round((late.supervisor_cpu_s - early.supervisor_cpu_s) * 1000 / count, 2),
        "journal_bytes_per_trigger": round((late.journal_bytes - early.journal_bytes) / count),
        "redis_bytes_per_trigger": round((late.redis_bytes - early.redis_bytes) / count),
        "supervisor_bytes_per_trigger": round((late.supervisor_bytes - early.supervisor_bytes) / count),
        "good": last_ms <= SLOWER_AT_MOST * first_ms,
    }


def _per_trigger(before: Mark, after: Mark) -> dict[str, float]:
    """Milliseconds of one trigger between two marks: on the clock, and of either process."""
    count = after.triggers - before.triggers
    return {
        "time": (after.time_us - before.time_us) / 1000 / count,
        "supervisor": (after.supervisor_cpu_s - before.supervisor_cpu_s) * 1000 / count,
        "fleet": (after.fleet_cpu_s - before.fleet_cpu_s) * 1000 / count,
    }


def _print(marks: list[Mark]) -> None:
    table = Table(title="a trigger in each tenth of the run, and what is held at its end")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for before, after in pairwise(marks):
        took = (f"{value:.2f} ms" for value in _per_trigger(before, after).values())
        held = (after.journal_bytes, after.redis_bytes, after.supervisor_bytes)
        table.add_row(f"{after.triggers:,}", *took, *(f"{size / _MB:.1f} MB" for size in held), str(after.queued))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
