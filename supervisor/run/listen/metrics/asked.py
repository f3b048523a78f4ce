"""What Redis is asked when somebody asks us: queues, workers, and leases. Nobody polls it for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import redis
from prometheus_client.metrics_core import Metric as Family

from shared import names
from shared.broker import connect
from shared.exposition.metric import Metric
from shared.fleet import WorkerEntry, lease_ages_s, read_fleet
from shared.ids import RunId
from supervisor.system.versions import speaks

_PATIENCE_S = 1.0  # whoever scrapes waits for ten seconds, as a rule
_STATES = ("idle", "busy", "benched")
_QUEUES = {queue: names.without_version(queue) for role in names.ROLES for queue in names.queues_of(role)}

UP = Metric("modyn_broker_up", "Whether the broker answers: 1 or 0.")
QUEUED = Metric("modyn_queue_messages", "Messages that wait, of all runs on this broker.", ("queue",))
WORKERS = Metric("modyn_workers", "Workers on this broker.", ("role", "device", "state"))
READY = Metric("modyn_ready_workers", "Those that are not benched and speak this supervisor's version.", ("role",))
OLDEST_WORKER = Metric("modyn_oldest_worker_lease_age_seconds", "Since a worker's entry was renewed, of the oldest.")
LEASED = Metric("modyn_leased_tasks", "Tasks of the run whose lease a worker renews.")
OLDEST_TASK = Metric("modyn_oldest_task_lease_age_seconds", "Since a task's lease was renewed, of the oldest.")
LEASE = Metric("modyn_lease_seconds", "How long a lease lasts that is not renewed.")


class Answer(NamedTuple):
    """What Redis says at one moment."""

    queued: dict[str, int]  # queue, by its name without a version
    fleet: list[WorkerEntry]
    worker_ages_s: list[float]
    task_ages_s: list[float]  # those of leases, the newest first


class Asked:
    """Asks over a connection of its own, as another thread does it."""

    def __init__(self, broker_url: str, run_id: RunId, lease_s: float) -> None:
        self._client = connect(broker_url, timeout_s=_PATIENCE_S)
        self._run_id, self._lease_s = run_id, lease_s

    def ask(self) -> Answer | None:
        """None: it does not answer."""
        try:
            queued, (seconds, microseconds), ends_ms = self._queues_and_leases()
            fleet = read_fleet(self._client)
            ages_s = lease_ages_s(self._client, fleet)
        except redis.RedisError:
            return None
        now_s = seconds + microseconds / 1e6
        task_ages_s = sorted(max(0.0, self._lease_s - (end_ms / 1000 - now_s)) for _, end_ms in ends_ms)
        return Answer(queued, fleet, ages_s, task_ages_s)

    def _queues_and_leases(self) -> tuple[dict[str, int], Any, Any]:
        pipe = self._client.pipeline(transaction=False)
        for queue in _QUEUES:
            pipe.llen(queue)
        pipe.time()
        pipe.zrange(names.leases_key(self._run_id), 0, -1, withscores=True)  # as many as there are workers
        *lengths, now, ends_ms = pipe.execute()
        return dict(zip(_QUEUES.values(), lengths, strict=True)), now, ends_ms

    def workers(self) -> list[WorkerEntry]:
        """Those that are alive. Raises redis.RedisError."""
        return read_fleet(self._client)

    def families(self, answer: Answer | None) -> Iterator[Family]:
        """Nothing is told that is not known."""
        yield UP.gauge(0 if answer is None else 1)
        yield LEASE.gauge(self._lease_s)
        if answer is None:
            return
        yield QUEUED.gauge({(queue,): length for queue, length in answer.queued.items()})
        yield WORKERS.gauge(_counted(answer.fleet))
        ready = Counter(one.role for one in answer.fleet if one.state != "benched" and speaks(one.versions))
        yield READY.gauge({(role,): ready[role] for role in names.ROLES})
        yield OLDEST_WORKER.gauge(max(answer.worker_ages_s, default=None))
        yield LEASED.gauge(self.leased(answer))
        yield OLDEST_TASK.gauge(max(answer.task_ages_s, default=None))

    def leased(self, answer: Answer) -> int:
        """Tasks whose lease has not ended."""
        return sum(age_s < self._lease_s for age_s in answer.task_ages_s)


def _counted(fleet: list[WorkerEntry]) -> dict[tuple[str, ...], float]:
    """By role, kind of device and state; none is a number, too."""
    counts: dict[tuple[str, ...], float] = {(role, "cpu", state): 0 for role in names.ROLES for state in _STATES}
    for worker in fleet:
        key = (worker.role, worker.kind_of_device, worker.state)
        counts[key] = counts.get(key, 0) + 1
    return counts
