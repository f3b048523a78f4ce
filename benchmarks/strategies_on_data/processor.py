"""Processor time of a sweep's workers while it goes on, and what of it each task took.

Where several runs and other programs share a machine, seconds on the clock are mostly those of waiting.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import psutil

from shared.ids import parts_of
from shared.messages.reports import AnyReport, Claimed, Selected, Trained
from supervisor.core.events import Reported
from supervisor.run.journal import events_in

_LOOK_EVERY_S = 0.04
_LIST_EVERY_S = 1.0  # which processes there are


class Watch:
    """Looks at the workers that a process has started, until it is left.

    A worker is its process and that one's children.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._over = process, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._seen: dict[str, tuple[list[float], list[float]]] = {}  # worker → moments, and seconds so far

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def used_s(self, worker: str, first_s: float, last_s: float) -> float:
        """Between two moments, since the epoch."""
        name = worker.partition("@")[0].rpartition("-")[0]  # behind it stand its device and its machine
        moments_s, used_s = self._seen[name]
        return _between(moments_s, used_s, last_s) - _between(moments_s, used_s, first_s)

    def _look(self) -> None:
        workers: dict[str, list[psutil.Process]] = {}
        listed_s = 0.0
        while not self._over.wait(_LOOK_EVERY_S):
            if time.monotonic() - listed_s > _LIST_EVERY_S:
                workers, listed_s = _workers_of(self._process), time.monotonic()
            for name, processes in workers.items():
                moments_s, used_s = self._seen.setdefault(name, ([], []))
                moments_s.append(time.time())
                used_s.append(max(_used_s(processes), used_s[-1] if used_s else 0.0))


def of_tasks(watch: Watch, journal: Path) -> tuple[float, float]:
    """What selecting and training took of the workers, all triggers together."""
    claimed_s: dict[tuple[str, int], float] = {}
    taken_s = {"select": 0.0, "train": 0.0}
    for report, moment_s in _reports(journal):
        if isinstance(report, Claimed):
            claimed_s[report.task_id, report.attempt] = moment_s
        elif isinstance(report, Selected | Trained):
            began_s = claimed_s[report.task_id, report.attempt]
            taken_s[parts_of(report.task_id).stage] += watch.used_s(report.worker, began_s, moment_s)
    return taken_s["select"], taken_s["train"]


def _reports(journal: Path) -> Iterable[tuple[AnyReport, float]]:
    """Each, and when Redis got it: its place in the stream begins with the milliseconds."""
    for event in events_in(journal):
        if isinstance(event, Reported):
            yield event.report, int(event.position.partition("-")[0]) / 1000


def _workers_of(process: psutil.Process) -> dict[str, list[psutil.Process]]:
    """Name → its processes."""
    found: dict[str, list[psutil.Process]] = {}
    for one in _quietly(process):
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if "workers" in words and "--name" in words:
            found[words[words.index("--name") + 1]] = [one, *_quietly(one)]
    return found


def _quietly(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _used_s(processes: Iterable[psutil.Process]) -> float:
    total_s = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total_s += times.user + times.system
    return total_s


def _between(moments_s: list[float], used_s: list[float], moment_s: float) -> float:
    """Seconds so far at a moment, as if they were used evenly from look to look."""
    place = bisect_left(moments_s, moment_s)
    if place in (0, len(moments_s)):
        return used_s[min(place, len(used_s) - 1)]
    share = (moment_s - moments_s[place - 1]) / (moments_s[place] - moments_s[place - 1])
    return used_s[place - 1] + share * (used_s[place] - used_s[place - 1])
