"""The fleet registry: which workers are alive, each entry leased by the worker itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import msgspec
import redis

from shared import names
from shared.ids import TaskId, WorkerId
from shared.names import Role

# What is left of an entry's life is never more than its lease: if it is, Redis's clock was set back.
# KEYS entries · ARGV their leases in ms
_NOT_TOO_LONG = """
for i, key in ipairs(KEYS) do
  if redis.call('PTTL', key) > tonumber(ARGV[i]) then redis.call('PEXPIRE', key, ARGV[i]) end
end
"""


class WorkerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself."""

    worker: WorkerId
    role: Role
    hostname: str  # Celery's node name; its own queue is called after it
    device: str
    device_name: str
    state: Literal["idle", "busy", "benched"]  # benched: it takes nothing until it is started anew
    task: TaskId | None
    since_us: int
    lease_s: float  # what the worker was started with
    pid: int
    versions: dict[str, str]
    benched: str | None = None  # what its device said
    metrics: str | None = None  # host:port at which it serves them

    @property
    def name(self) -> str:
        """What people call it: unique on its host."""
        return self.hostname.partition("@")[0]

    @property
    def host(self) -> str:
        """The machine, or the container, that it runs on."""
        return self.hostname.partition("@")[2]

    @property
    def kind_of_device(self) -> str:
        """`cpu`, or `cuda` for each GPU."""
        return self.device.partition(":")[0]


def why_benched(worker: WorkerEntry) -> str:
    """What people read of a worker that is benched, and what they can do."""
    return (
        f"is benched: its device failed twice within an hour ({worker.benched}). It takes nothing more; look after "
        "the device, then start the worker anew."
    )


def code_version() -> str:
    """A short hash over the sources that workers run: two workers with the same one do the same."""
    project = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for source in sorted(source for package in ("shared", "workers") for source in (project / package).rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def register(client: redis.Redis, entry: WorkerEntry) -> None:
    """Write or renew a worker's entry for its lease."""
    pipe = client.pipeline(transaction=False)
    pipe.set(names.worker_key(entry.worker), msgspec.json.encode(entry), px=round(entry.lease_s * 1000))
    pipe.sadd(names.FLEET_KEY, entry.worker)
    pipe.execute()


def deregister(client: redis.Redis, worker: WorkerId) -> None:
    """Take a worker's entry out."""
    client.delete(names.worker_key(worker))
    client.srem(names.FLEET_KEY, worker)


def read_fleet(client: redis.Redis) -> list[WorkerEntry]:
    """The workers whose lease has not run out, in the order of role and hostname; no entry lasts longer than that."""
    ids = sorted(cast(set[str], client.smembers(names.FLEET_KEY)))
    bodies = cast(list[str | None], client.mget([names.worker_key(WorkerId(i)) for i in ids])) if ids else []
    entries = [entry for entry in map(_entry_of, bodies) if entry is not None]
    gone = [worker for worker, body in zip(ids, bodies, strict=True) if body is None]
    if gone:
        client.srem(names.FLEET_KEY, *gone)
    if entries:
        leases_ms = [round(entry.lease_s * 1000) for entry in entries]
        client.register_script(_NOT_TOO_LONG)([names.worker_key(entry.worker) for entry in entries], leases_ms)
    return sorted(entries, key=lambda entry: (entry.role, entry.hostname))


def _entry_of(body: str | None) -> WorkerEntry | None:
    """None for an entry that is gone, or that a worker of another version wrote in another shape."""
    try:
        return None if body is None else msgspec.json.decode(body, type=WorkerEntry)
    except msgspec.MsgspecError:
        return None


def lease_ages_s(client: redis.Redis, workers: Sequence[WorkerEntry]) -> list[float]:
    """Seconds since each worker renewed its entry."""
    pipe = client.pipeline(transaction=False)
    for worker in workers:
        pipe.pttl(names.worker_key(worker.worker))
    left_ms = pipe.execute()
    return [max(0.0, worker.lease_s - max(left, 0) / 1000) for worker, left in zip(workers, left_ms, strict=True)]
