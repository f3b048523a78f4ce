"""What Prometheus is told of a broker and its fleet, at the moment when it asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from registry import worker_entry
from run_of_events import RUN, Run
from serving import Server
from shown_run import ShownRun
from workplace import Workplace

from shared import names
from shared.addresses import Address
from shared.claims import Attempt, Claims
from shared.errors import NotReadyError
from shared.fleet import register
from shared.ids import TaskId, WorkerId
from shared.messages.version import MESSAGE_VERSION

OURS = {"messages": str(MESSAGE_VERSION)}
LEASE_S = 15.0


@pytest.fixture
def shown(small: Workplace, client: redis.Redis, redis_url: str) -> ShownRun:
    """On the test's Redis."""
    return ShownRun(small, redis_url)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own."""
    one = Server(tmp_path, remembers=False)
    yield one
    one.end()


def test_what_waits_in_each_queue_is_told(shown: ShownRun, client: redis.Redis) -> None:
    """By the name that people call it; one that nobody has made yet is empty."""
    client.lpush(names.queue("train", "cuda"), "a", "b")
    client.lpush(names.queue("evaluate"), "c")
    assert shown.value("modyn_queue_messages", queue="train.cuda") == 2
    assert shown.value("modyn_queue_messages", queue="evaluate") == 1
    assert shown.value("modyn_queue_messages", queue="select") == 0


def test_a_fleet_is_counted_by_role_device_and_state(shown: ShownRun, client: redis.Redis) -> None:
    """GPUs of many machines are one kind of device; who is benched, or speaks another version, is not ready."""
    assert shown.value("modyn_ready_workers", role="train") == 0
    register(client, worker_entry("a", device="cuda:0", state="busy", versions=OURS))
    register(client, worker_entry("b", device="cuda:1", state="busy", versions=OURS))
    register(client, worker_entry("c", device="cuda:1", state="benched", versions=OURS))
    register(client, worker_entry("d", role="evaluate", versions={"messages": "0"}))
    assert shown.value("modyn_workers", role="train", device="cuda", state="busy") == 2
    assert shown.value("modyn_workers", role="train", device="cuda", state="benched") == 1
    assert shown.value("modyn_workers", role="train", device="cpu", state="idle") == 0
    assert shown.value("modyn_workers", role="evaluate", device="cpu", state="idle") == 1
    assert shown.value("modyn_ready_workers", role="train") == 2
    assert shown.value("modyn_ready_workers", role="evaluate") == 0
    client.pexpire(names.worker_key(WorkerId("a")), 20_000)  # of 60 s
    assert 40 <= (shown.value("modyn_oldest_worker_lease_age_seconds") or 0) < 60


def test_leases_of_the_run_tell_whether_it_is_worked_on(small: Workplace, shown: ShownRun, client: redis.Redis) -> None:
    """The oldest is told; while one is renewed nobody is silent, and one that has ended is none."""
    run = Run(small)
    run.fire(9)
    shown.metrics.turn(run.state, 10)
    assert (shown.value("modyn_silence_seconds") or 0) > 0
    assert shown.value("modyn_oldest_task_lease_age_seconds") is None
    for name in ("old", "new"):
        task = TaskId(f"{RUN}/0/{name}/0")
        Claims(client).claim(Attempt(run_id=RUN, task_id=task, number=1, worker=WorkerId(name)), LEASE_S)
    client.zincrby(names.leases_key(RUN), -10_000, f"{RUN}/0/old/0")
    assert shown.value("modyn_leased_tasks") == 2
    assert 10 <= (shown.value("modyn_oldest_task_lease_age_seconds") or 0) < LEASE_S
    assert shown.value("modyn_silence_seconds") == 0
    client.zadd(names.leases_key(RUN), dict.fromkeys((f"{RUN}/0/old/0", f"{RUN}/0/new/0"), 1))
    assert shown.value("modyn_leased_tasks") == 0
    assert (shown.value("modyn_oldest_task_lease_age_seconds") or 0) > LEASE_S
    assert (shown.value("modyn_silence_seconds") or 0) > 0


def test_targets_are_the_supervisor_and_all_workers_that_serve(shown: ShownRun, client: redis.Redis) -> None:
    """In the form of http_sd; none of their labels is one that the supervisor's own samples have."""
    register(client, worker_entry("train-0", metrics="127.0.0.1:40001", device="cuda:1"))
    register(client, worker_entry("train-1"))
    own, worker = shown.metrics.targets(Address.of("0.0.0.0:9464"))
    here = socket.gethostname()
    assert own == {"targets": [f"{here}:9464"], "labels": {"component": "supervisor", "host": here}}
    assert worker == {
        "targets": ["127.0.0.1:40001"],
        "labels": {"component": "worker", "host": "host", "role": "train", "device": "cuda:1", "worker": "train-0"},
    }


def test_a_broker_that_is_away_or_silent_costs_the_scrape_and_not_the_scraper(small: Workplace, server: Server) -> None:
    """It is told within the ten seconds that a scraper waits; what is known without it is told all the same."""
    shown = ShownRun(small, server.url)
    assert shown.value("modyn_broker_up") == 1
    with server.silent():
        assert shown.value("modyn_broker_up") == 0
        assert shown.value("modyn_lease_seconds") == LEASE_S
        with pytest.raises(NotReadyError, match="The broker does not answer"):
            shown.metrics.targets(Address.of("127.0.0.1:9464"))
    assert shown.value("modyn_broker_up") == 1
