"""`python -m benchmarks.fleet_idle`: whether workers that could train stand idle, and short work behind long work.

Two scenes, each with one train and one evaluate worker. In the first a run of dependent trainings (each continues from
the model before) has evaluations that take five times as long as the trainings. In the second two such runs share the
workers. Trainings and evaluations sleep, for in a fleet they are not on the supervisor's machine.

Printed for each run is a line a trigger: how long its select, gather, gate (the evaluation that its decision needs) and
decide waited from the moment a worker could have claimed them, how long its training took from claim to report, and its
evaluations together. Bounds: of the time from the first training's claim to the last training's end the train worker is
idle for at most a tenth, where one run has it for itself; no gather of two runs that share it waits for more than a
second.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fleet_idle.scene import Scene
from benchmarks.fleet_idle.timeline import MS_PER_S, Span, idle_share, timeline
from benchmarks.processes import end_in_order_when_asked

IDLE_AT_MOST = 0.1
GATHER_AT_MOST_S = 1.0
_SHORT = {"select": "select", "gather": "gather", "evaluate": "gate", "decide": "decide"}  # stage → what it is called
_EVALUATIONS = ("evaluate", "score", "slices")


def main() -> None:
    """Measure both scenes; with --check exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_idle", description=__doc__.splitlines()[0])
    parser.add_argument("--triggers", type=int, default=12, help="of each run")
    parser.add_argument("--training-s", type=float, default=2.0, help="what a training takes")
    parser.add_argument("--times", type=float, default=5.0, help="so many times as long its evaluations take")
    parser.add_argument("--scenes", nargs="*", default=["alone", "shared"], choices=["alone", "shared"])
    parser.add_argument("--check", action="store_true", help="exit 1 if a bound is broken")
    options = parser.parse_args()
    end_in_order_when_asked()
    measures = {"alone": _alone, "shared": _shared}
    broken = [sentence for scene in options.scenes for sentence in measures[scene](options)]
    for sentence in broken:
        print(f"broken: {sentence}")
    sys.exit(1 if broken and options.check else 0)


def _alone(options: argparse.Namespace) -> list[str]:
    """One run: the bounds that it breaks."""
    with _scene(options) as scene:
        scene.start("alone")
        scene.wait_for("decided")
        spans = timeline(scene.journal("alone"), scene.files("alone"))
    idle = _idle(spans)
    _print("one run on one train and one evaluate worker", spans, f"train worker idle: {idle:.0%}")
    return [f"the train worker was idle for {idle:.0%} of the time, {IDLE_AT_MOST:.0%} allowed"] * (idle > IDLE_AT_MOST)


def _shared(options: argparse.Namespace) -> list[str]:
    """Two runs on the same workers: the bounds that they break."""
    names = ("first", "second")
    with _scene(options) as scene:
        for name in names:
            scene.start(name)
        scene.wait_for("gathered")
        spans = {name: timeline(scene.journal(name), scene.files(name)) for name in names}
    broken = []
    for name in names:
        longest_s = _longest_wait_s(spans[name], "gather")
        _print(f"two runs share the workers: {name}", spans[name], f"longest wait of a gather: {longest_s:.2f} s")
        if longest_s > GATHER_AT_MOST_S:
            broken.append(f"a gather of the {name} run waited {longest_s:.1f} s, {GATHER_AT_MOST_S:g} s allowed")
    print(f"train worker idle: {_idle([one for some in spans.values() for one in some]):.0%}")
    return broken


@contextmanager
def _scene(options: argparse.Namespace) -> Any:
    """A scene that is set, and ended whatever happens."""
    with tempfile.TemporaryDirectory(prefix="modyn-idle-") as folder:
        evaluation_s = options.times * options.training_s
        size = {"triggers": options.triggers, "training_s": options.training_s, "evaluation_s": evaluation_s}
        scene = Scene(folder=Path(folder) / "scene", **size)
        try:
            scene.set()
            yield scene
        finally:
            scene.end()


def _idle(spans: Sequence[Span]) -> float:
    """The idle share of the worker that trained, until the last training ended."""
    trainings = [one for one in spans if one.stage == "train" and one.ended_ms is not None]
    worker = trainings[0].worker
    assert worker is not None
    from_ms = min(one.claimed_ms for one in trainings if one.claimed_ms is not None)
    to_ms = max(one.ended_ms for one in trainings if one.ended_ms is not None)
    return idle_share(spans, worker, from_ms, to_ms)


def _longest_wait_s(spans: Sequence[Span], stage: str) -> float:
    """Of the stage's tasks; without end if one was never claimed."""
    waits = [one.waited_s for one in spans if one.stage == stage]
    return max((math.inf if wait is None else wait for wait in waits), default=math.inf)


def _print(title: str, spans: Sequence[Span], remark: str) -> None:
    """The table of one run, its medians and its longest waits below."""
    rows = [_row(spans, trigger) for trigger in sorted({one.trigger for one in spans})]
    table = Table(title=title, caption=remark)
    for name in ("trigger", *(f"{what} waited" for what in _SHORT.values()), "training", "evaluations"):
        table.add_column(name, justify="right")
    for number, row in enumerate(rows):
        table.add_row(str(number), *map(_seconds, row), end_section=number == len(rows) - 1)
    for name, of in (("median", statistics.median), ("longest", max)):
        columns = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
        table.add_row(name, *(_seconds(of(column) if column else None) for column in columns))
    Console(width=100).print(table)


def _row(spans: Sequence[Span], trigger: int) -> list[float | None]:
    """Waits of the short stages, the time of the training, and that of all evaluations; None for what was not."""
    own = [one for one in spans if one.trigger == trigger]
    waits = [next((one.waited_s for one in own if one.stage == stage), None) for stage in _SHORT]
    return [*waits, _took_s(own, ("train",)), _took_s(own, _EVALUATIONS)]


def _took_s(spans: Sequence[Span], stages: Sequence[str]) -> float | None:
    of_stages = [one for one in spans if one.stage in stages]
    done = [
        (one.ended_ms - one.claimed_ms) / MS_PER_S
        for one in of_stages
        if one.ended_ms is not None and one.claimed_ms is not None
    ]
    return sum(done) if done and len(done) == len(of_stages) else None


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


if __name__ == "__main__":
    main()
