"""The fleet registry, and the stream of reports: what cannot be read is somebody else's and holds nobody up."""

from __future__ import annotations

import msgspec
import redis
from registry import worker_entry

from shared import names
from shared.fleet import deregister, lease_ages_s, read_fleet, register
from shared.ids import RunId, TaskId, WorkerId
from shared.messages.message import encode
from shared.messages.reports import Claimed
from supervisor.run.watch.reports import Reports

RUN = RunId("run")


def test_entries_live_as_long_as_their_leases(client: redis.Redis) -> None:
    """One that is not renewed is gone by itself; one that says goodbye is gone at once."""
    for worker in ("a", "b", "c"):
        register(client, worker_entry(worker, lease_s=0.05 if worker == "b" else 60.0))
    while client.exists(names.worker_key(WorkerId("b"))):
        pass
    deregister(client, WorkerId("c"))
    (alive,) = read_fleet(client)
    assert alive == worker_entry("a")
    assert 0 <= lease_ages_s(client, [alive])[0] < 30
    assert client.smembers(names.FLEET_KEY) == {"a"}


def test_no_entry_outlives_a_clock_that_was_set_back(client: redis.Redis) -> None:
    """Whoever reads the registry cuts what is left of an entry to its lease: a dead worker is gone within one."""
    register(client, worker_entry("a", lease_s=0.2))
    register(client, worker_entry("b", lease_s=60.0))
    client.pexpire(names.worker_key(WorkerId("a")), 3_600_000)  # as it looks when the clock went back by an hour
    assert [worker.worker for worker in read_fleet(client)] == ["a", "b"]
    assert client.pttl(names.worker_key(WorkerId("a"))) <= 200
    assert client.pttl(names.worker_key(WorkerId("b"))) > 30_000
    while client.exists(names.worker_key(WorkerId("a"))):
        pass
    assert [worker.worker for worker in read_fleet(client)] == ["b"]


def test_a_worker_of_another_version_is_passed_over(client: redis.Redis) -> None:
    """Its entry has a shape that is not known here: it is not listed, and not taken out either."""
    register(client, worker_entry("a"))
    strange = msgspec.json.encode({"worker": "b", "role": "gardener", "version": 9})
    for worker, body in (("b", strange), ("c", b"no JSON at all")):
        client.set(names.worker_key(WorkerId(worker)), body, px=60_000)
        client.sadd(names.FLEET_KEY, worker)
    assert [worker.worker for worker in read_fleet(client)] == ["a"]
    assert client.smembers(names.FLEET_KEY) == {"a", "b", "c"}


def test_a_report_that_is_not_understood_is_passed_over(client: redis.Redis) -> None:
    """Those before and behind it are heard, and it is not met again."""
    known = [Claimed(task_id=TaskId(f"run/{n}/train/0"), attempt=1, worker=WorkerId("a")) for n in range(2)]
    bodies = [encode(known[0]), '{"report":"sung","song":1}', "no JSON at all", encode(known[1])]
    for body in bodies:
        client.xadd(names.reports_key(RUN), {"report": body})
    reports = Reports(client, RUN, "0")
    assert [heard.report for heard in reports.next(0.0)] == known
    assert reports.next(0.0) == []
