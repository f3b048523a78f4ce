"""`python -m benchmarks.chaos.long_tasks --minutes 10`: a healthy long task is never published again.

Three runs side by side, each with a lease of 5 s and one training that takes `--minutes`, a JSON line each:

- `plain` computes in small batches;
- `hold_gil` holds the GIL of its process for three leases at a time, again and again, and so says nothing meanwhile;
- `loaded` computes as `plain` does, with a core to itself but for busy loops, as many as the machine has cores, from
  before its start to its end.

`plain` and `hold_gil` share the other cores: undisturbed for the first half of their trainings, and beside as many busy
loops again in the second half, in which no core is idle. (With one core in all, they too are loaded from the start.)
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import redis

from benchmarks.chaos.slow_scene import SlowScene, scenes_folder
from shared import names
from shared.ids import TaskId, parts_of
from shared.processes import end_with_parent

_LEASE_S = 5.0
_BATCH_S = {"compute": 0.1, "hold_gil": 3 * _LEASE_S}
_SAMPLE_S = 0.2
_START_S = 180.0  # for start-up and what comes after the training, with every core busy


def main() -> None:
    """Play the three runs; exit 1 if a task was published again, or a run was not what it should have been."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.long_tasks", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long each training takes")
    minutes: float = parser.parse_args().minutes
    started_s = time.monotonic()
    with scenes_folder() as folder:
        ways = {"plain": "compute", "hold_gil": "hold_gil", "loaded": "compute"}
        runs = {name: LongRun(_scene(folder / name, way, minutes)) for name, way in ways.items()}
        loops = BusyLoops()
        try:
            _play(runs, loops, minutes * 60)
        finally:
            loops.stop()
            for run in runs.values():
                run.scene.end()
        results = {name: run.verdict(minutes * 60) for name, run in runs.items()}
        for name, result in results.items():
            print(json.dumps({"run": name, **result}), flush=True)
            if not result["good"]:
                sys.stderr.write(runs[name].scene.said())
    bad = sum(not result["good"] for result in results.values())
    wall_s = round(time.monotonic() - started_s, 1)
    print(json.dumps({"minutes": minutes, "lease_s": _LEASE_S, "runs": len(runs), "bad_runs": bad, "wall_s": wall_s}))
    sys.exit(1 if bad else 0)


def _scene(folder: Path, way: str, minutes: float) -> SlowScene:
    batch_s = _BATCH_S[way]
    batches = math.ceil(minutes * 60 / batch_s)
    return SlowScene(folder=folder, way=way, batch_s=batch_s, batches=batches, triggers=1, lease_s=_LEASE_S)


def _play(runs: dict[str, LongRun], loops: BusyLoops, training_s: float) -> None:
    """Start everything, look at the leases until the last run has ended, and add the load of the second half."""
    cores = sorted(os.sched_getaffinity(0))
    loaded, quiet = {cores[0]}, set(cores[1:] or cores)
    loops.start(loaded, len(cores))
    for name, run in runs.items():
        run.start(loaded if name == "loaded" else quiet)
    undisturbed = [run for name, run in runs.items() if name != "loaded"]
    give_up_s = time.monotonic() + 2 * training_s + _START_S
    second_half = False
    while any(run.goes_on for run in runs.values()) and time.monotonic() < give_up_s:
        for run in runs.values():
            run.look()
        began = [run.began_s for run in undisturbed if run.began_s is not None]
        if not second_half and len(began) == len(undisturbed) and time.monotonic() > max(began) + training_s / 2:
            second_half = True
            loops.start(quiet, len(cores))
        time.sleep(_SAMPLE_S)


@dataclass
class LongRun:
    """One run, and how near its training's lease came to its end."""

    scene: SlowScene
    task: TaskId | None = None
    began_s: float | None = None  # when the training was first seen to have a lease
    least_left_s: float = math.inf
    _client: redis.Redis | None = None

    def start(self, cores: set[int]) -> None:
        """Start the supervisor on these cores; all it starts will be there, too."""
        self.scene.set()
        self.scene.start(resume=False)
        assert self.scene.supervisor is not None
        os.sched_setaffinity(self.scene.supervisor.pid, cores)

    @property
    def goes_on(self) -> bool:
        """Whether the supervisor has not ended."""
        return self.scene.supervisor is not None and self.scene.supervisor.poll() is None

    def look(self) -> None:
        """See how much is left of the training's lease, by Redis's clock."""
        self.task = self.task or self.scene.train_task(0)
        if self.task is None or not self.goes_on:
            return
        self._client = self._client or self.scene.client()
        if self._client is None:
            return
        pipe = self._client.pipeline()
        pipe.zscore(names.leases_key(parts_of(self.task).run_id), self.task)
        pipe.time()
        try:
            ends_ms, (now_s, now_us) = cast(tuple[float | None, tuple[int, int]], pipe.execute())
        except redis.RedisError:  # the run is ending
            return
        if ends_ms is not None:
            self.began_s = self.began_s or time.monotonic()
            self.least_left_s = min(self.least_left_s, ends_ms / 1000 - now_s - now_us / 1e6)

    def verdict(self, training_s: float) -> dict[str, Any]:
        """What journal and summary say."""
        reports = [event["report"] for event in self.scene.events() if event["event"] == "reported"]
        of_training = [one for one in reports if one["task_id"] == self.task]
        attempts = [one["attempt"] for one in of_training if one["report"] == "claimed"]
        train_s = [one["train_s"] for one in of_training if one["report"] == "trained"]
        faults = self.scene.faults()
        told = {
            "exit": None if self.scene.supervisor is None else self.scene.supervisor.returncode,
            "claimed_attempts": attempts,
            "republished": faults.get("republished"),
            "workers_lost": faults.get("workers_lost"),
        }
        harmless = {"exit": 0, "claimed_attempts": [1], "republished": 0, "workers_lost": 0}
        seen = math.isfinite(self.least_left_s)
        good = told == harmless and len(train_s) == 1 and train_s[0] >= training_s and seen
        left_s = round(self.least_left_s, 2) if seen else None
        return {**told, "train_s": [round(one, 1) for one in train_s], "least_lease_left_s": left_s, "good": good}


class BusyLoops:
    """Processes that do nothing but keep cores busy; the kernel ends them with this one, however that ends."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, cores: set[int], count: int) -> None:
        """Start so many on these cores."""
        first: Callable[[], None] = partial(_bind, os.getpid(), cores)
        for _ in range(count):
            command = [sys.executable, "-c", "while True: pass"]
            self._processes.append(subprocess.Popen(command, preexec_fn=first))  # noqa: PLW1509 - it only calls the kernel

    def stop(self) -> None:
        """End them all."""
        for process in self._processes:
            process.kill()
            process.wait()


def _bind(parent_pid: int, cores: set[int]) -> None:
    end_with_parent(parent_pid)
    os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
