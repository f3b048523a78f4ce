"""Carries a sweep out: so many runs side by side, until all have ended or somebody stops it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import redis

from supervisor.run.stop_signal import StopSignal
from supervisor.sweep.nursery import Child, Nursery
from supervisor.sweep.outcome import Outcome, of_finished, outcome
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import Planned
from supervisor.system.platform import Platform

_LOOK_EVERY_S = 0.1
_PING_EVERY_S = 1.0


class Watcher:
    """Who is told how the sweep goes."""

    def begins(self, run: Planned, number: int, *, resumed: bool) -> None:
        """The run with this number, from 1 on, is started."""

    def ended(self, run: Planned, came_to: Outcome, took_s: float) -> None:
        """One has ended."""

    def turn(self, running: Mapping[str, Path]) -> None:
        """Several times a second: the runs that are at work, and their folders."""


class Sweep:
    """The runs of one sweep. What ended before is not started again, unless it failed or was stopped."""

    def __init__(self, runs: Sequence[Planned], place: Place, wanted: Wanted, files: tuple[Path, Path]) -> None:
        self.runs, self.place, self.wanted, self._files = tuple(runs), place, wanted, files
        self._children: dict[str, tuple[Planned, Child]] = {}
        self.outcomes: dict[str, Outcome] = {}  # by name of the run
        self._ping_s = 0.0

    @property
    def total(self) -> int:
        """How many runs it has."""
        return len(self.runs)

    def take_up(self) -> None:
        """See which runs have finished before. Raises ConfigurationError for one that another pipeline.yaml made."""
        for run in self.runs:
            directory = self.place.run(run.name)
            if directory.holds_a_run:
                directory.compare(run.configuration)
                if directory.is_summed_up:
                    self.outcomes[run.name] = of_finished(run.name, directory.path, directory.summary())

    @property
    def unfinished(self) -> list[Planned]:
        """The runs that are still to be carried out, in order."""
        return [run for run in self.runs if run.name not in self.outcomes]

    def carry_out(
        self, nursery: Nursery, platform: Platform, parallel: int, stop: StopSignal, watcher: Watcher
    ) -> None:
        """Start what is unfinished, `parallel` runs at a time, and wait for all to end; `stop` has them stop."""
        waiting, asked = deque(self.unfinished), False
        while self._children or (waiting and not asked):
            while waiting and len(self._children) < parallel and stop.asked_by is None:
                self._start(waiting.popleft(), nursery, watcher)
            if stop.asked_by is not None and not asked:
                asked = True
                for _, child in self._children.values():
                    child.ask_to_stop()
            self._look(watcher)
            self._mend(platform)
            watcher.turn({name: self.place.path / name for name in self._children})
            time.sleep(_LOOK_EVERY_S)

    def kill(self) -> None:
        """End all runs at once."""
        for _, child in self._children.values():
            child.kill()

    def _start(self, run: Planned, nursery: Nursery, watcher: Watcher) -> None:
        name = run.name
        directory = self.place.run(name)
        resumed = directory.holds_a_run
        begun = ["--resume"] if resumed else ["--experiment-mode", *self.wanted.options()]
        settings = [word for one in run.changes for word in ("--set", f"{one.key}={one.text}")]
        files = [str(one) for one in self._files]
        arguments = ["run", *files, "--run-dir", str(directory.path), "--no-fleet", *begun, *settings]
        self._children[name] = run, nursery.start(arguments, self.place.log(name))
        watcher.begins(run, self.runs.index(run) + 1, resumed=resumed)

    def _look(self, watcher: Watcher) -> None:
        """Take down what has ended."""
        for name, (run, child) in list(self._children.items()):
            if child.code is None:
                continue
            directory = self.place.run(name)
            came_to = outcome(name, directory.path, directory.summary(), child.code, child.said())
            self.outcomes[name] = came_to
            del self._children[name]
            watcher.ended(run, came_to, child.took_s)

    def _mend(self, platform: Platform) -> None:
        """Start again what died of the fleet and its broker."""
        if time.monotonic() < self._ping_s:
            return
        self._ping_s = time.monotonic() + _PING_EVERY_S
        try:
            platform.client.ping()
            away = False
        except (redis.RedisError, OSError):
            away = True
        platform.mend(away=away)
