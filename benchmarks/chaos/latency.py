"""`python -m benchmarks.chaos.latency --kills 20`: from the death of a worker to the new attempt at its training.

Deaths are of three kinds, in turn: kill -9 of the whole worker, kill -9 of its child, and SIGSTOP of its child, which
is killed once its task is published again. Each hits another training, at a random moment of it, so each is the first
loss of its task, which waits for nothing but the lease. Two runs, one after the other: with a lease of 2 s `--kills`
of each kind, with the default of 15 s a few. Trainings sleep, for in a fleet they are not on the supervisor's machine;
a second worker is there to take over.

Printed is a JSON line for each lease and kind, in seconds as [least, median, most]: `published_s` from just before the
signal until the claim names the next attempt, whose message is sent right after; `after_lease_s`, the part of it after
the end of the lease; `claimed_s` from the signal until a worker has the task again. Good is what was published within
the lease and 2 s; a run that fails, or in which another lease ended, is bad. `unclaimed` counts messages that were
published again because no worker claimed them although one was idle.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

import psutil
import redis

from benchmarks.chaos.slow_scene import SlowScene, scenes_folder
from shared import names
from shared.ids import TaskId, parts_of

_KINDS = ("kill_worker", "kill_child", "stop_child")
_SHORT_S, _DEFAULT_S = 2.0, 15.0
_SLACK_S = 2.0  # after a lease's end
_POLL_S = 0.005
_BATCH_S = 0.05
_PATIENCE_S = 120.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One death, in seconds."""

    kind: str
    published_s: float
    after_lease_s: float
    claimed_s: float


class WentWrongError(Exception):
    """A run did not do what it should; the sentence says what."""


def main() -> None:
    """Measure; exit 1 if any attempt was published too late, or a run went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.latency", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of each kind, with a lease of 2 s")
    parser.add_argument("--default-kills", type=int, default=3, help="of each kind, with the default lease of 15 s")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    bad, started_s = 0, time.monotonic()
    with scenes_folder() as folder:
        for lease_s, kills in ((_SHORT_S, options.kills), (_DEFAULT_S, options.default_kills)):
            try:
                losses = _measure(folder / f"lease-{lease_s:g}", lease_s, kills, Random(options.seed))
            except WentWrongError as error:
                bad += 1
                print(json.dumps({"lease_s": lease_s, "error": str(error), "good": False}), flush=True)
                continue
            for kind in _KINDS if kills else ():
                told = _told([loss for loss in losses if loss.kind == kind], lease_s + _SLACK_S)
                bad += not told["good"]
                print(json.dumps({"lease_s": lease_s, "kind": kind, **told}), flush=True)
    print(json.dumps({"bad": bad, "wall_s": round(time.monotonic() - started_s, 1)}))
    sys.exit(1 if bad else 0)


def _told(losses: Sequence[Loss], bound_s: float) -> dict[str, Any]:
    fields = ("published_s", "after_lease_s", "claimed_s")
    times = {field: _spread([getattr(loss, field) for loss in losses]) for field in fields}
    late = sum(loss.published_s > bound_s for loss in losses)
    return {"kills": len(losses), "bound_s": bound_s, **times, "late": late, "good": bool(losses) and not late}


def _spread(values: list[float]) -> list[float]:
    return [round(f(values), 3) for f in (min, statistics.median, max)] if values else []


def _measure(folder: Path, lease_s: float, kills: int, random: Random) -> list[Loss]:
    """One run, a training for each death. Raises WentWrongError."""
    if not kills:
        return []
    kinds = [kind for _ in range(kills) for kind in _KINDS]
    training_s = lease_s / 5 + 1.5  # longer than the latest moment of a death
    batches = math.ceil(training_s / _BATCH_S)
    size: dict[str, Any] = {"batch_s": _BATCH_S, "batches": batches, "triggers": len(kinds)}
    # Epochs of half a second: the supervisor's looks must not keep in step with what it hears before a death.
    scene = SlowScene(folder=folder, way="sleep", lease_s=lease_s, trainers=2, epoch=10, **size)
    try:
        scene.set()
        scene.start(resume=False)
        losses = Hunter(scene, random).losses(kinds)
        assert scene.supervisor is not None
        _until(lambda: scene.supervisor is None or scene.supervisor.poll() is not None, "the run does not end")
        code = scene.supervisor.returncode
        happened = Counter(event["event"] for event in scene.events())
        if code != 0 or happened["lease_expired"] != len(kinds):
            expired = f"{happened['lease_expired']} leases ended after {len(kinds)} deaths"
            raise WentWrongError(f"exit {code}, {expired}: {scene.said()}")
        print(json.dumps({"lease_s": lease_s, "deaths": len(kinds), "unclaimed": happened["unclaimed"]}), flush=True)
        return losses
    except redis.RedisError as error:
        raise WentWrongError(f"{error}: {scene.said()}") from error
    finally:
        scene.end()


class Hunter:
    """Ends workers of a run in mid-training, and takes the time until the supervisor has published the next attempt."""

    def __init__(self, scene: SlowScene, random: Random) -> None:
        self._scene = scene
        self._random = random
        self._client: redis.Redis

    def losses(self, kinds: Sequence[str]) -> list[Loss]:
        """One death for each training of the run, in order. Raises WentWrongError and redis.RedisError."""
        self._client = self._patiently(self._scene.client, "there is no broker")
        found = []
        for trigger, kind in enumerate(kinds):
            task = self._patiently(partial(self._scene.train_task, trigger), "the run does not begin")
            child, attempt = self._patiently(partial(self._at_work, task), f"nobody begins with {task}")
            time.sleep(self._random.uniform(0.2, 0.2 + self._scene.lease_s / 5))  # any moment between two renewals
            found.append(self._end(task, attempt, child, kind))
        return found

    def _end(self, task: TaskId, attempt: int, child: psutil.Process, kind: str) -> Loss:
        victim = child.parent() if kind == "kill_worker" else child
        assert victim is not None
        before_s = time.monotonic()
        victim.send_signal(signal.SIGSTOP if kind == "stop_child" else signal.SIGKILL)
        left_s = self._lease_left_s(task)
        held_s = time.monotonic() - before_s
        _until(lambda: self._claim(task)[1] > attempt, f"{task} is not published again after {kind}")
        published_s = time.monotonic() - before_s
        if kind == "stop_child":
            victim.kill()
        _until(lambda: self._claim(task)[0] != "offered", f"nobody claims {task} again")
        claimed_s = time.monotonic() - before_s
        after_lease_s = published_s - held_s - left_s
        return Loss(kind=kind, published_s=published_s, after_lease_s=after_lease_s, claimed_s=claimed_s)

    def _at_work(self, task: TaskId) -> tuple[psutil.Process, int] | None:
        """The child that works on the task, and in which attempt; None while there is none."""
        state, attempt, owner = self._claim(task)
        if state == "done":
            raise WentWrongError(f"{task} was done before anything happened to it")
        children = self._scene.children() if state == "claimed" else []
        mine = [child for child in children if _environment(child).get(names.WORKER_VARIABLE) == owner]
        return (mine[0], attempt) if mine else None

    def _claim(self, task: TaskId) -> tuple[str | None, int, str | None]:
        """State, attempt (0 before the first claim) and owner."""
        fields = self._client.hmget(names.claim_key(task), "state", "attempt", "owner")
        state, attempt, owner = cast(list[str | None], fields)
        return state, int(attempt or 0), owner

    def _lease_left_s(self, task: TaskId) -> float:
        pipe = self._client.pipeline()
        pipe.zscore(names.leases_key(parts_of(task).run_id), task)
        pipe.time()
        ends_ms, (now_s, now_us) = cast(tuple[float | None, tuple[int, int]], pipe.execute())
        if ends_ms is None:
            raise WentWrongError(f"{task} ended before anything happened to it")
        return ends_ms / 1000 - now_s - now_us / 1e6

    def _patiently(self, look: Callable[[], T | None], otherwise: str) -> T:
        """What is there after a while. Raises WentWrongError if nothing is, or the supervisor has ended."""
        give_up_s = time.monotonic() + _PATIENCE_S
        while (found := look()) is None:
            supervisor = self._scene.supervisor
            if time.monotonic() > give_up_s or supervisor is None or supervisor.poll() is not None:
                raise WentWrongError(f"{otherwise}: {self._scene.said()}")
            time.sleep(_POLL_S)
        return found


def _environment(process: psutil.Process) -> dict[str, str]:
    """What a process was started with; nothing if it has just died."""
    try:
        return cast(dict[str, str], process.environ())
    except psutil.Error:
        return {}


def _until(there: Callable[[], bool], otherwise: str) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while not there():
        if time.monotonic() > give_up_s:
            raise WentWrongError(otherwise)
        time.sleep(_POLL_S)


if __name__ == "__main__":
    main()
