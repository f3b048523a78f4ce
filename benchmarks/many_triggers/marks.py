"""Marks along a run: what each tenth of its triggers took, and what is held so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
import redis

from benchmarks.many_triggers.scene import Scene
from benchmarks.processes import redis_url
from shared import names
from shared.broker import connect

_LOOK_S = 0.02


class _Report(msgspec.Struct):
    report: str


class _Line(msgspec.Struct):
    """What is read of a journal's line."""

    event: str
    time_us: int
    report: _Report | None = None

    @property
    def makes_a_model(self) -> bool:
        """Whether a trigger has its model now. How far its scores are behind shows in what is queued."""
        return self.report is not None and self.report.report == "gathered"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The run at one moment. CPU time is that of the process so far."""

    triggers: int
    time_us: int  # of the journal's event
    journal_bytes: int
    redis_bytes: int
    supervisor_bytes: int  # resident
    supervisor_cpu_s: float
    fleet_cpu_s: float
    queued: int  # messages that the fleet has not taken yet


class Follower:
    """Reads a journal as it is written, and takes a mark whenever another tenth of the triggers has its model."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._client = connect(redis_url(scene.folder))
        self._processes = [psutil.Process(one.pid) for one in (scene.supervisor, scene.fleet)]
        self._made = self._bytes = 0

    def marks(self, tenths: int = 10) -> Iterator[Mark]:
        """One at the run's first event, and one each tenth. Raises RuntimeError if the run ends before the last."""
        wanted = [self._scene.triggers * tenth // tenths for tenth in range(tenths + 1)]
        for time_us in self._moments():
            if self._made >= wanted[0]:
                yield self._mark(time_us)
                wanted.pop(0)
            if not wanted:
                return
        raise RuntimeError(f"the run ended after {self._made} models: {self._scene.said()}")

    def _moments(self) -> Iterator[int]:
        """When each event happened, as soon as it is written."""
        for line in _lines(self._scene.run_dir / "journal.jsonl", self._scene):
            told = msgspec.json.decode(line, type=_Line)
            self._bytes += len(line)
            self._made += told.makes_a_model
            yield told.time_us

    def _mark(self, time_us: int) -> Mark:
        supervisor, fleet = self._processes
        info: Any = self._client.info("memory")
        return Mark(
            triggers=self._made,
            time_us=time_us,
            journal_bytes=self._bytes,
            redis_bytes=info["used_memory"],
            supervisor_bytes=supervisor.memory_info().rss,
            supervisor_cpu_s=_cpu_s(supervisor),
            fleet_cpu_s=_cpu_s(fleet),
            queued=_queued(self._client),
        )


def _lines(journal: Path, scene: Scene) -> Iterator[bytes]:
    """Whole lines, until the supervisor has ended."""
    while not journal.exists() and scene.supervisor.poll() is None:
        time.sleep(_LOOK_S)
    if not journal.exists():
        return
    rest = b""
    with journal.open("rb") as file:
        while True:
            ended = scene.supervisor.poll() is not None
            *whole, rest = (rest + file.read()).split(b"\n")
            yield from (line + b"\n" for line in whole)
            if ended:
                return
            time.sleep(_LOOK_S)


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _queued(client: redis.Redis) -> int:
    queues = {queue for role in names.ROLES for queue in names.queues_of(role)}
    return sum(int(client.llen(queue)) for queue in queues)  # type: ignore[arg-type]
