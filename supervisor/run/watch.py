"""Watches over open tasks: leases that ended, messages that vanished, and a Redis that forgot the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

import redis

from shared import names
from shared.claims import Claims
from shared.fleet import read_fleet
from shared.ids import TaskId, WorkerId
from shared.messages import SetupRecord
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, LeaseExpired, Unclaimed, Wiped
from supervisor.core.state import RunState
from supervisor.run.reports import Reports
from supervisor.system.setup import write_setup
from supervisor.system.versions import Versions, speaks

log = logging.getLogger("run")

_IDLE_S = 5.0  # a worker that has been idle so long is not about to claim what it has just taken off a queue
_MISSING_S = 2.0  # a message must be missing twice, so long apart: it may be between queue and claim


class Watch:
    """Looks every so often. All times are of this process's own clock, or Redis's: hosts need not agree."""

    def __init__(
        self,
        client: redis.Redis,
        claims: Claims,
        reports: Reports,
        setup: SetupRecord,
        versions: Versions,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock_s = clock_s
        self._client = client
        self._claims = claims
        self._reports = reports
        self._setup = setup
        self._versions = versions
        self._next_s = self._judge_from_s = self._next_forgotten_s = 0.0
        self._wiped = False
        self._last_seen_s = dict.fromkeys(names.QUEUES_BY_ROLE, self._clock_s())  # role → when a worker was alive
        self._idle: dict[
            WorkerId, tuple[int, float]
        ] = {}  # worker → (idle since, by its clock; seen so since, by ours)
        self._missing: dict[tuple[TaskId, int], float] = {}  # (task, attempt) → first seen missing
        self._unknown: set[tuple[TaskId, int]] = set()  # claimed attempts that Redis knew nothing of at the last look

    @property
    def every_s(self) -> float:
        """Between two looks: often enough that an attempt is published within a second or two of its lease's end."""
        return max(0.01, min(1.0, self._setup.lease_s / 5))

    @property
    def roles_without_workers(self) -> frozenset[str]:
        """Roles of which no worker is alive. (An entry in the registry ends a lease after it was renewed last.)"""
        now_s = self._clock_s()
        return frozenset(role for role, seen_s in self._last_seen_s.items() if now_s - seen_s > self._setup.lease_s / 2)

    def broker_is_back(self) -> None:
        """Leases could not be renewed meanwhile, so nothing is judged for one full lease."""
        self._judge_nothing_for_a_lease()
        self._next_s = 0.0

    def _judge_nothing_for_a_lease(self) -> None:
        """Neither that a task's lease ended, nor that no worker is there."""
        self._judge_from_s = self._clock_s() + self._setup.lease_s
        self._last_seen_s = dict.fromkeys(self._last_seen_s, self._judge_from_s - self._setup.lease_s / 2)

    def knock(self) -> None:
        """Write something. Raises redis.RedisError also if Redis answers but takes nothing: a full memory or disk."""
        self._client.set(names.probe_key(self._setup.run_id), "", px=1000)

    def look(self, state: RunState, unsent: Collection[TaskId]) -> list[AnyEvent]:
        """What follows from a look; `unsent` tasks are not published yet. Raises redis.RedisError."""
        now_s = self._clock_s()
        if now_s < self._next_s:
            return []
        self._next_s = now_s + self.every_s
        if not self._client.exists(names.setup_key(state.run_id)):
            log.warning("! Redis has forgotten the run; workers that have its tasks get one lease to say so")
            self._reports.continue_stream(state.report_position)
            write_setup(self._client, self._setup)  # last: it says that all of this was done
            self._wiped = True
            self._judge_nothing_for_a_lease()
        idle_roles = self._see_fleet()
        if now_s < self._judge_from_s:
            return []
        if self._wiped:
            self._wiped = False
            return [Wiped(time_us=now_us(), adopted=self.standing(state))]
        found = [*self._expired(state), *self._forgotten(state), *self._vanished(state, unsent, idle_roles)]
        if found:  # nobody can renew a lease on a Redis that takes nothing
            self.knock()
        return found

    def standing(self, state: RunState) -> tuple[TaskId, ...]:
        """Open tasks whose attempt a worker holds a live lease on. Raises redis.RedisError."""
        return tuple(self._claims.standing(state.run_id, _attempts(state)))

    def _expired(self, state: RunState) -> list[AnyEvent]:
        attempts = _attempts(state)
        ended = self._claims.expired(state.run_id, attempts)
        return [LeaseExpired(time_us=now_us(), task_id=task_id, attempt=attempts[task_id]) for task_id in ended]

    def _forgotten(self, state: RunState) -> list[AnyEvent]:
        """Claimed tasks of which Redis has known nothing at two looks a lease apart.

        It lost its newest writes, as in a crash of its machine or a failover, and their worker is gone, or has no use
        for them any more: it would have renewed.
        """
        now_s = self._clock_s()
        if now_s < self._next_forgotten_s:
            return []
        self._next_forgotten_s = now_s + self._setup.lease_s
        claimed = {task_id: number for task_id, number in _attempts(state).items() if state.tasks[task_id].worker}
        unknown = {(task_id, claimed[task_id]) for task_id in self._claims.without_lease(state.run_id, claimed)}
        gone, self._unknown = unknown & self._unknown, unknown
        return [LeaseExpired(time_us=now_us(), task_id=task_id, attempt=number) for task_id, number in sorted(gone)]

    def _vanished(self, state: RunState, unsent: Collection[TaskId], idle_roles: set[str]) -> list[AnyEvent]:
        """Unclaimed tasks whose queue is empty while a worker of the role has been idle for some seconds.

        Of a chord's body, which a header's worker is to send and may have failed to, also after a lease: the workers
        may be busy for hours.
        """
        waiting = {
            (task_id, one.task.attempt): names.QUEUE_BY_TASK[one.task.kind]
            for task_id, one in state.tasks.items()
            if one.worker is None and one.ripe and task_id not in state.held and task_id not in unsent
        }
        empty = {queue for queue in set(waiting.values()) if not self._client.llen(queue)}
        patience_s = {
            one: _MISSING_S if names.ROLE_BY_QUEUE[queue] in idle_roles else max(_MISSING_S, self._setup.lease_s)
            for one, queue in waiting.items()
            if queue in empty and (names.ROLE_BY_QUEUE[queue] in idle_roles or state.tasks[one[0]].is_body)
        }
        now_s = self._clock_s()
        self._missing = {one: self._missing.get(one, now_s) for one in patience_s}
        gone = [one for one, since_s in self._missing.items() if now_s - since_s >= patience_s[one]]
        if gone:  # a claim that the supervisor never heard of, as Redis was wiped: its worker has it all the same
            held = set(self._claims.standing(state.run_id, dict(gone)))
            gone = [one for one in gone if one[0] not in held]
        return [Unclaimed(time_us=now_us(), task_id=task_id, attempt=attempt) for task_id, attempt in gone]

    def _see_fleet(self) -> set[str]:
        """Note who is alive; the roles of which a worker has been idle for some seconds."""
        now_s = self._clock_s()
        seen: dict[WorkerId, tuple[int, float]] = {}
        roles: set[str] = set()
        for worker in read_fleet(self._client):
            self._versions.compare(worker.hostname, worker.versions)
            if not speaks(worker.versions):
                continue
            self._last_seen_s[worker.role] = now_s
            if worker.state != "idle":
                continue
            since_us, seen_s = self._idle.get(worker.worker, (worker.since_us, now_s))
            seen[worker.worker] = (since_us, seen_s) if since_us == worker.since_us else (worker.since_us, now_s)
            if now_s - seen[worker.worker][1] >= _IDLE_S:
                roles.add(worker.role)
        self._idle = seen
        return roles


def _attempts(state: RunState) -> dict[TaskId, int]:
    return {task_id: one.task.attempt for task_id, one in state.tasks.items() if task_id not in state.held}
