"""`python -m benchmarks.many_triggers.no_op_fleet URL`: a fleet in one process; it does no work and speaks as one.

A double at the edge of the supervisor: it takes the real messages off the real queues, claims and reports by the real
protocol, sends the bodies of chords, and keeps a train and an evaluate worker in the registry. There is no Celery in
it and no PyTorch, so that it costs less than the supervisor that is measured. With --backlog it leaves evaluations
until nothing else has come for a second: a fleet that trains faster than it evaluates.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import msgspec
import redis
from celery.utils.nodenames import worker_direct

from benchmarks.many_triggers.celery_messages import Delivery, return_to_chord, take
from benchmarks.many_triggers.no_op_work import report_of
from shared import names
from shared.broker import connect
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.fleet import WorkerEntry, register
from shared.ids import RunId, TaskId, WorkerId
from shared.messages.message import encode
from shared.messages.reports import SetUp, result_of
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import task_of
from shared.messages.version import MESSAGE_VERSION
from shared.names import ROLES, Role
from shared.timestamps import now_us

_LEASE_S = 15.0
_AFTER_TRAINING = {names.celery_task(kind) for kind in ("evaluate", "baseline", "decide")}
_AFTER_TRAINING = {names.celery_task(kind) for kind in ("evaluate", "baseline", "decide")}
_VERSIONS = {"messages": str(MESSAGE_VERSION)}


def main() -> None:
    """Work until the process is ended."""
    fleet = NoOpFleet(connect(sys.argv[1]), backlog="--backlog" in sys.argv)
    threading.Thread(target=keep_registered, args=(connect(sys.argv[1]),), daemon=True).start()
    while True:
        fleet.turn()


class NoOpFleet:
    """Both workers: whatever either would be given is done here, in the order in which an evaluate worker prefers."""

    def __init__(self, client: redis.Redis, *, backlog: bool) -> None:
        self._client = client
        self._claims = Claims(client)
        self._records: dict[RunId, SetupRecord] = {}
        own = [worker_direct(hostname(role)).name for role in ROLES]
        shared = [queue for role in reversed(ROLES) for queue in names.queues_of(role, "cpu")]
        self._queues = list(dict.fromkeys([*own, *shared]))
        evaluations = {names.queue("evaluate")} if backlog else set()
        self._at_once = [queue for queue in self._queues if queue not in evaluations]
        self._idle = False

    def turn(self) -> None:
        """Take one message and answer it."""
        delivery = take(self._client, self._queues if self._idle else self._at_once)
        self._idle = delivery is None or (self._idle and delivery.task in _AFTER_TRAINING)
        if delivery is None or delivery.task == names.celery_task("tear_down"):
            return
        if delivery.task == names.celery_task("set_up"):
            self._set_up(*delivery.arguments)
        else:
            self._perform(delivery)

    def _perform(self, delivery: Delivery) -> None:
        """What workers/process/perform.py does, with nothing between claim and report."""
        task = task_of(delivery.keywords["message"])
        record = self._record(task.run_id)
        role = "train" if task.queue in names.queues_of("train", "cpu") else "evaluate"
        worker, task_id = worker_id(role), TaskId(delivery.task_id)
        attempt = Attempt(run_id=task.run_id, task_id=task_id, number=task.attempt, worker=worker)
        answer, result = self._claims.claim(attempt, record.lease_s)
        if answer is ClaimAnswer.OK:
            report: Any = report_of(task, record, {"task_id": task_id, "attempt": task.attempt, "worker": worker})
            result = result_of(report)
            if not self._claims.report(attempt, report, result):
                return
        elif answer is not ClaimAnswer.DONE:
            return
        return_to_chord(self._client, delivery, result)

    def _set_up(self, run_id: RunId, version: int) -> None:
        told = SetUp(
            worker=worker_id("train"),
            hostname=hostname("train"),
            setup_version=version,
            device="cpu",
            versions=_VERSIONS,
            error=None,
        )
        self._client.xadd(names.reports_key(run_id), {"report": encode(told)})

    def _record(self, run_id: RunId) -> SetupRecord:
        if run_id not in self._records:
            body = str(self._client.get(names.setup_key(run_id)))
            self._records[run_id] = msgspec.json.decode(body, type=SetupRecord)
        return self._records[run_id]


def hostname(role: Role) -> str:
    """Celery's node name of a worker that there is none of."""
    return f"{role}@no-op"


def worker_id(role: Role) -> WorkerId:
    """Its id in the registry."""
    return WorkerId(f"{role}-no-op")


def keep_registered(client: redis.Redis) -> None:
    """Keep both workers in the registry, renewed thrice a lease."""
    since_us, pause = now_us(), threading.Event()
    while True:
        for role in ROLES:
            register(client, _entry(role, since_us))
        pause.wait(_LEASE_S / 3)


def _entry(role: Role, since_us: int) -> WorkerEntry:
    """Always idle, for its work takes no time; so the supervisor also looks for messages that were lost."""
    return WorkerEntry(
        worker=worker_id(role),
        role=role,
        hostname=hostname(role),
        device="cpu",
        device_name="no-op",
        state="idle",
        task=None,
        since_us=since_us,
        lease_s=_LEASE_S,
        pid=0,
        versions=_VERSIONS,
    )


if __name__ == "__main__":
    main()
