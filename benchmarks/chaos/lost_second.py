"""Redis comes back without its newest second, as after a crash of its machine: the append-only file is synced once a
second, and what was answered since is in no file.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.chaos.scene import LEASE_S, Scene
from supervisor.system.embedded_broker import find_broker

_LOST_S = 1.0
_LOOK_S = 0.05
_PATIENCE_S = 4 * LEASE_S
Sizes = dict[Path, int]


def lose_a_second(scene: Scene, is_time: Callable[[], bool]) -> bool:
    """When it is time, kill -9 Redis, and cut its append-only file to what it held a second ago.

    It is time after some leases in any case. False if there is no Redis, or it wrote its file anew meanwhile.
    """
    held = _a_second_ago(scene, is_time)
    pid = scene.broker_pid()
    if not held or pid is None or not _only_grew(held, _sizes(scene)):
        return False
    with _nobody_starts_it(scene):
        server = psutil.Process(pid)
        server.kill()
        psutil.wait_procs([server], timeout=_LOST_S)
        for file, size in held.items():
            os.truncate(file, size)
    return True


def _a_second_ago(scene: Scene, is_time: Callable[[], bool]) -> Sizes:
    """How long the files were a second before it was time."""
    began_s = time.monotonic()
    seen = deque([(began_s, _sizes(scene))])
    while time.monotonic() < began_s + _LOST_S or not (is_time() or time.monotonic() > began_s + _PATIENCE_S):
        time.sleep(_LOOK_S)
        seen.append((time.monotonic(), _sizes(scene)))
        while seen[1][0] <= seen[-1][0] - _LOST_S:
            seen.popleft()
    return seen[0][1]


def _sizes(scene: Scene) -> Sizes:
    """The files that Redis appends to, and how long each is. A torn last command is left out when they are read."""
    folder = _folder(scene)
    files = [] if folder is None else folder.glob("appendonlydir/*.incr.aof")
    return {file: file.stat().st_size for file in files}


def _folder(scene: Scene) -> Path | None:
    """Where the run's Redis keeps what it writes, None if there is none."""
    if scene.cluster:
        return scene.folder
    url = find_broker(str(scene.folder / "runs"))
    return None if url is None else Path(url.removeprefix("redis+socket://")).parent


def _only_grew(before: Sizes, after: Sizes) -> bool:
    return before.keys() == after.keys() and all(after[file] >= size for file, size in before.items())


@contextmanager
def _nobody_starts_it(scene: Scene) -> Iterator[None]:
    """An embedded Redis is started again by its supervisor as soon as it is seen to be dead."""
    supervisor = scene.supervisor
    if scene.cluster or supervisor is None or supervisor.poll() is not None:
        yield
        return
    supervisor.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        supervisor.send_signal(signal.SIGCONT)
