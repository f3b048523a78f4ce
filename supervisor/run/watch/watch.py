"""Watches over open tasks: leases that ended, messages that vanished, and a Redis that forgot the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import redis

from shared import names
from shared.claims import Claims
from shared.fleet import WorkerEntry, read_fleet
from shared.ids import TaskId, WorkerId
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import AnyTask
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, LeaseExpired, Unclaimed, Wiped
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase, TriggerState
from supervisor.run.broker import knock
from supervisor.run.watch.clocks import Clocks
from supervisor.run.watch.queue_search import absent
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.unclaimed import Sent, UnclaimedTasks
from supervisor.system.setup import write_setup
from supervisor.system.versions import Versions, speaks

log = logging.getLogger(__name__)

_IDLE_S = 5.0  # a worker that has been idle so long is not about to claim what it has just taken off a queue
_MISSING_S = 2.0  # a message must be missing twice, so long apart: it may be between queue and claim
_LOOKED_AT = 64  # tasks of each queue that are looked for, the oldest; others wait behind them


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
        self._wiped = self._was_away = False
        self._last_seen_s = dict.fromkeys(names.ROLES, self._clock_s())  # role → when a worker was alive
        # worker → (idle since, by its clock; seen so since, by ours)
        self._idle: dict[WorkerId, tuple[int, float]] = {}
        self.benched: tuple[WorkerEntry, ...] = ()  # those whose device failed again and again
        self._clocks = Clocks(client, setup.lease_s, clock_s)
        self._unclaimed = UnclaimedTasks()
        self._missing: dict[Sent, float] = {}  # first seen missing
        self._searched: dict[str, tuple[float, set[Sent]]] = {}  # queue → when next, and what was absent last
        self._settled = 0
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
        """Leases could not be renewed meanwhile, so nothing is judged for one full lease.

        It may have come back without what it heard last, and with another clock.
        """
        self._judge_nothing_for_a_lease()
        self._next_s = 0.0
        self._was_away = True

    def _judge_nothing_for_a_lease(self) -> None:
        """Neither that a task's lease ended, nor that no worker is there."""
        self._judge_from_s = self._clock_s() + self._setup.lease_s
        self._last_seen_s = dict.fromkeys(self._last_seen_s, self._judge_from_s - self._setup.lease_s / 2)

    def begin(self, state: RunState) -> None:
        """Watch over tasks that were published before this session."""
        unclaimed = [(task_id, one.task) for task_id, one in state.tasks.items() if one.worker is None]
        self._unclaimed.note(sorted(unclaimed, key=lambda one: one[1].trigger_id), self._clock_s())

    def look(self, state: RunState, sent: Iterable[tuple[TaskId, AnyTask]]) -> list[AnyEvent]:
        """What follows from a look; `sent` was published since the last. Raises redis.RedisError.

        It costs nothing that grows with the tasks that are open.
        """
        now_s = self._clock_s()
        self._unclaimed.note(sent, now_s)
        if now_s < self._next_s:
            return []
        self._next_s = now_s + self.every_s
        if self._clocks.are_in_doubt():
            self._judge_nothing_for_a_lease()
        self._set_right(state)
        served = self._see_fleet()
        if now_s < self._judge_from_s:
            return []
        if self._wiped:
            self._wiped = False
            return [Wiped(time_us=now_us(), adopted=self.standing(state))]
        found = [*self._expired(state), *self._forgotten(state), *self._vanished(state, served)]
        if found:  # nobody can renew a lease on a Redis that takes nothing
            knock(self._client, state.run_id)
        self._settle(state)
        return found

    def _set_right(self, state: RunState) -> None:
        """Have a Redis that was away know the run as it is: it may come back as it was in an earlier session.

        Then it would recall tasks for a stop that is over, and refuse those of triggers that are made anew.
        """
        forgotten = not self._client.exists(names.setup_key(state.run_id))
        if not (forgotten or self._was_away):
            return
        if forgotten:
            log.warning("! Redis has forgotten the run; workers that have its tasks get one lease to say so")
        self._reports.continue_stream(state.report_position)
        write_setup(self._client, self._setup)  # last: it says that all of this was done
        self._was_away, self._settled = False, 0
        if forgotten:
            self._wiped = True
            self._judge_nothing_for_a_lease()

    def standing(self, state: RunState) -> tuple[TaskId, ...]:
        """Open tasks whose attempt a worker holds a live lease on. Raises redis.RedisError."""
        return tuple(self._claims.standing(state.run_id, Attempts(state), self._setup.lease_s))

    def _settle(self, state: RunState) -> None:
        """Tell workers which triggers are over, whenever that has changed: those that have what they will ever have."""
        settled, limit = self._settled, min(state.to.select, state.to.train, state.to.decide - 1)
        while settled < limit and _is_settled(state.trigger(settled)):
            settled += 1
        if settled != self._settled:
            self._claims.settle(state.run_id, settled)
            self._settled = settled

    def _expired(self, state: RunState) -> list[AnyEvent]:
        attempts = Attempts(state)
        ended = self._claims.expired(state.run_id, attempts, self._setup.lease_s)
        return [LeaseExpired(time_us=now_us(), task_id=task_id, attempt=attempts[task_id]) for task_id in ended]

    def _forgotten(self, state: RunState) -> list[AnyEvent]:
        """Claimed tasks that were under no lease at two looks a lease apart, and of which no report was heard.

        Redis lost its newest writes, as in a crash of its machine or a failover, and their worker is gone, or has no
        use for them any more: it would have renewed. Or they are done, and the report went where nobody heard it.
        """
        now_s = self._clock_s()
        if now_s < self._next_forgotten_s or not self._reports.heard_all:
            return []
        self._next_forgotten_s = now_s + self._setup.lease_s
        claimed = dict(state.tasks.claimed)
        unknown = {(task_id, claimed[task_id]) for task_id in self._claims.without_lease(state.run_id, claimed)}
        gone, self._unknown = unknown & self._unknown, unknown
        return [LeaseExpired(time_us=now_us(), task_id=task_id, attempt=number) for task_id, number in sorted(gone)]

    def _vanished(self, state: RunState, served: set[str]) -> list[AnyEvent]:
        """Unclaimed tasks that are not where workers would find them.

        Soon, if their queue is empty and a worker that serves it has been idle for some seconds. Else, when they have
        waited for a lease, their queue is searched: on a fleet that others use, too, it may never be empty, nor the
        workers idle. They must be missing twice, as a message may be between queue and claim.
        """
        now_s = self._clock_s()
        patience_s: dict[Sent, float] = {}
        for queue in self._unclaimed.queues:
            oldest = self._unclaimed.oldest(queue, state, _LOOKED_AT, now_s)
            if queue in served and not self._client.llen(queue):
                patience_s |= dict.fromkeys(oldest, _MISSING_S)
            else:
                late = [one for one, since_s in oldest.items() if now_s - since_s >= self._setup.lease_s]
                patience_s |= dict.fromkeys(self._absent(queue, late, now_s), _MISSING_S)
        self._missing = {one: self._missing.get(one, now_s) for one in patience_s}
        gone = [one for one, since_s in self._missing.items() if now_s - since_s >= patience_s[one]]
        if gone:  # a claim that the supervisor never heard of, as Redis was wiped: its worker has it all the same
            held = set(self._claims.standing(state.run_id, dict(gone), self._setup.lease_s))
            gone = [one for one in gone if one.task_id not in held]
        return [Unclaimed(time_us=now_us(), task_id=task_id, attempt=attempt) for task_id, attempt in gone]

    def _absent(self, queue: str, late: list[Sent], now_s: float) -> set[Sent]:
        """Those of these that have no message in their queue, which is searched once a lease; again soon to be sure."""
        next_s, missing = self._searched.get(queue, (0.0, set()))
        if late and now_s >= next_s:
            found = absent(self._client, queue, [one.task_id for one in late])
            missing = {one for one in late if one.task_id in found}
            self._searched[queue] = (now_s + (_MISSING_S if missing else self._setup.lease_s), missing)
        return missing.intersection(late)

    def _see_fleet(self) -> set[str]:
        """Note who is alive; the queues that are served by a worker which has been idle for some seconds."""
        now_s = self._clock_s()
        seen: dict[WorkerId, tuple[int, float]] = {}
        served: set[str] = set()
        fleet = read_fleet(self._client)
        self.benched = tuple(worker for worker in fleet if worker.state == "benched")
        for worker in fleet:
            self._versions.compare(worker.hostname, worker.versions)
            if not speaks(worker.versions) or worker.state == "benched":
                continue
            self._last_seen_s[worker.role] = now_s
            if worker.state != "idle":
                continue
            since_us, seen_s = self._idle.get(worker.worker, (worker.since_us, now_s))
            seen[worker.worker] = (since_us, seen_s) if since_us == worker.since_us else (worker.since_us, now_s)
            if now_s - seen[worker.worker][1] >= _IDLE_S:
                served |= set(names.queues_of(worker.role, worker.device))
        self._idle = seen
        return served


def _is_settled(trigger: TriggerState) -> bool:
    """Whether nobody works on its model, nor will: one that was lost is made anew."""
    return trigger.phase.over and (trigger.phase is not Phase.COMMITTED or trigger.model is not None)


class Attempts(Mapping[TaskId, int]):
    """The open tasks that a worker may have, and the attempt that counts: a view, as there may be many."""

    def __init__(self, state: RunState) -> None:
        self._state = state

    def __getitem__(self, task_id: TaskId) -> int:
        if task_id in self._state.held:
            raise KeyError(task_id)
        return self._state.tasks[task_id].task.attempt

    def __iter__(self) -> Iterator[TaskId]:
        return (task_id for task_id in self._state.tasks if task_id not in self._state.held)

    def __len__(self) -> int:
        return sum(1 for _ in self)
