"""The faults: what each does to a scene. Each is named, and its choice among processes comes from the seed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil

from benchmarks.chaos.acts import on_redis, signal_one
from benchmarks.chaos.clock import set_back
from benchmarks.chaos.copies import resume_copy
from benchmarks.chaos.lost_second import lose_a_second
from benchmarks.chaos.moments import (
    kill_detecting_child,
    kill_supervisor_answered,
    kill_supervisor_asked,
    wipe_redis_asked,
)
from benchmarks.chaos.scene import LEASE_S, Scene
from benchmarks.chaos.selections import (
    cut_state,
    kill_child_after_set,
    kill_child_after_state,
    kill_child_and_supervisor,
    kill_selecting_child,
    kill_supervisor_selected,
    lose_reported_state,
    lose_states,
)

_AWAY_LEASES = 1.5  # so long Redis is away
_JUMPS_S = (120, 600, 3_600)  # minutes, as by hand, or the hour of a machine that was woken up
Fault = Callable[[Scene, Random], bool]  # whether there was anything to do it to


def kill_child(scene: Scene, random: Random) -> bool:
    """kill -9 a worker's child."""
    return signal_one(scene.children(), random, signal.SIGKILL)


def kill_worker(scene: Scene, random: Random) -> bool:
    """kill -9 a whole worker."""
    return signal_one(scene.worker_processes(), random, signal.SIGKILL)


def drain_worker(scene: Scene, random: Random) -> bool:
    """SIGTERM to a worker: it hands its task back and goes."""
    return signal_one(scene.worker_processes(), random, signal.SIGTERM)


def stop_child(scene: Scene, random: Random) -> bool:
    """Stop a worker's child for three leases, and let it go on as a zombie."""
    return _stop_for(scene.children(), random)


def stop_worker(scene: Scene, random: Random) -> bool:
    """Stop a worker's main process, which renews its lease, for three leases."""
    return _stop_for(scene.worker_processes(), random)


def kill_supervisor(scene: Scene, random: Random) -> bool:
    """kill -9 the supervisor; it is resumed."""
    assert scene.supervisor is not None
    return signal_one([psutil.Process(scene.supervisor.pid)], random, signal.SIGKILL)


def stop_supervisor(scene: Scene, random: Random) -> bool:
    """Stop the supervisor for three leases; workers go on, and much is reported at once when it is back."""
    assert scene.supervisor is not None
    return _stop_for([psutil.Process(scene.supervisor.pid)], random)


def kill_redis(scene: Scene, random: Random) -> bool:
    """kill -9 Redis; its append-only file stays."""
    pid = scene.broker_pid()
    return pid is not None and signal_one([psutil.Process(pid)], random, signal.SIGKILL)


def silence_redis(scene: Scene, random: Random) -> bool:
    """Stop Redis for more than a lease, with every connection open."""
    pid = scene.broker_pid()
    if pid is None or not _stop_for([psutil.Process(pid)], random, leases=_AWAY_LEASES):
        return False
    scene.broker_from_s = time.monotonic() + _AWAY_LEASES * LEASE_S
    return True


def keep_redis_away(scene: Scene, random: Random) -> bool:
    """kill -9 a cluster's Redis, and start it again only after more than a lease."""
    if not scene.cluster or not kill_redis(scene, random):
        return False
    scene.broker_from_s = time.monotonic() + _AWAY_LEASES * LEASE_S
    return True


def wipe_redis(scene: Scene, random: Random) -> bool:
    """FLUSHALL."""
    return on_redis(scene, lambda client: client.flushall())


def stop_child_and_wipe(scene: Scene, random: Random) -> bool:
    """A zombie that comes back to a Redis that knows nothing."""
    return stop_child(scene, random) and wipe_redis(scene, random)


def cut_connections(scene: Scene, random: Random) -> bool:
    """CLIENT KILL for everybody."""
    return on_redis(scene, lambda client: client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))


def cut_newest_second(scene: Scene, random: Random) -> bool:
    """kill -9 Redis, which comes back without what it was told in its last second."""
    return lose_a_second(scene, lambda: True)


def kill_child_and_cut_newest_second(scene: Scene, random: Random) -> bool:
    """A worker is lost, and with the newest second also that its task was published again: an older attempt is back."""
    before = _lost_leases(scene)
    return kill_child(scene, random) and lose_a_second(scene, lambda: _lost_leases(scene) > before)


def set_clock_back(scene: Scene, random: Random) -> bool:
    """Set Redis's clock back by minutes or an hour, while it holds leases and reports."""
    jump_s = random.choice(_JUMPS_S)
    return on_redis(scene, lambda client: set_back(client, jump_s))


def kill_child_and_set_clock_back(scene: Scene, random: Random) -> bool:
    """A worker that will never renew its lease, which now ends after the jump."""
    return kill_child(scene, random) and set_clock_back(scene, random)


def resume_a_copy(scene: Scene, random: Random) -> bool:
    """Resume a copy of the run directory while the original goes on."""
    return resume_copy(scene)


FAULTS: dict[str, Fault] = {
    "kill_child": kill_child,
    "kill_worker": kill_worker,
    "drain_worker": drain_worker,
    "stop_child": stop_child,
    "stop_worker": stop_worker,
    "kill_supervisor": kill_supervisor,
    "stop_supervisor": stop_supervisor,
    "kill_redis": kill_redis,
    "silence_redis": silence_redis,
    "keep_redis_away": keep_redis_away,
    "wipe_redis": wipe_redis,
    "stop_child_and_wipe": stop_child_and_wipe,
    "cut_connections": cut_connections,
    "cut_newest_second": cut_newest_second,
    "kill_child_and_cut_newest_second": kill_child_and_cut_newest_second,
    "set_clock_back": set_clock_back,
    "kill_child_and_set_clock_back": kill_child_and_set_clock_back,
    "resume_a_copy": resume_a_copy,
    "kill_supervisor_asked": kill_supervisor_asked,
    "kill_supervisor_answered": kill_supervisor_answered,
    "kill_detecting_child": kill_detecting_child,
    "wipe_redis_asked": wipe_redis_asked,
    "kill_selecting_child": kill_selecting_child,
    "kill_child_after_set": kill_child_after_set,
    "kill_child_after_state": kill_child_after_state,
    "kill_child_and_supervisor": kill_child_and_supervisor,
    "kill_supervisor_selected": kill_supervisor_selected,
    "lose_reported_state": lose_reported_state,
    "lose_states": lose_states,
    "cut_state": cut_state,
}


class Corruption:
    """Overwrites the newest committed model; the run must end with a sentence, and go on once it is back."""

    def __init__(self, scene: Scene) -> None:
        models = sorted(scene.run_dir.glob("models/*/model.safetensors"), key=lambda one: int(one.parent.name))
        self._file = models[-1] if models else None
        self._body = b"" if self._file is None else self._file.read_bytes()

    def inject(self) -> bool:
        """Flip the bytes in its middle; whether there was a model."""
        if self._file is None:
            return False
        middle = len(self._body) // 2
        self._file.write_bytes(self._body[:middle] + bytes(255 - byte for byte in self._body[middle:]))
        return True

    def mend(self) -> None:
        """Bring the model back."""
        if self._file is not None:
            self._file.write_bytes(self._body)


class FullDisk:
    """Fills the file system that the run directory lies on: a small tmpfs."""

    def __init__(self, scene: Scene) -> None:
        self._filler: Path = scene.disk / "filler"

    def inject(self) -> bool:
        """Take all the room there is."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return True

    def mend(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


def _stop_for(processes: list[psutil.Process], random: Random, *, leases: float = 3.0) -> bool:
    if not processes:
        return False
    one = random.choice(sorted(processes, key=lambda process: process.pid))
    try:
        os.kill(one.pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    timer = threading.Timer(leases * LEASE_S, _continue, [one])
    timer.daemon = True
    timer.start()
    return True


def _continue(process: psutil.Process) -> None:
    if process.is_running():  # it is still this very process, not another with its number
        os.kill(process.pid, signal.SIGCONT)


def _lost_leases(scene: Scene) -> int:
    """How often the journal says that a worker's lease ended."""
    return scene.journal.read_bytes().count(b'"event":"lease_expired"') if scene.journal.exists() else 0
