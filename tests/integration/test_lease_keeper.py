"""What a worker's main process says to Redis: as often as a lease needs it, and no oftener; and what it hears."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from shared import names
from shared.broker import connect
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.fleet import read_fleet
from shared.ids import RunId, TaskId, WorkerId
from workers.process.lease_keeper import LeaseKeeper, is_child
from workers.process.recalls import RecallListener
from workers.process.settings import WorkerSettings
from workers.process.slot import Slot, SlotFile

RUN = RunId("run")
WORKER = WorkerId("train-0@host-0123456789ab")
ATTEMPT = Attempt(run_id=RUN, task_id=TaskId("run/0/train/0"), number=1, worker=WORKER)
_PATIENCE_S = 60.0


class Kept:
    """A worker whose child is this test, as far as its slot tells."""

    def __init__(self, url: str, pid: int, lease_s: float) -> None:
        self.file = SlotFile.create()
        self.lease_s = lease_s
        self._pid = pid
        self.keeper = LeaseKeeper(
            WorkerSettings(
                broker_url=url,
                role="train",
                hostname="train-0@host",
                worker=WORKER,
                lease_s=lease_s,
                device="cpu",
                slot_folder=self.file.folder,
            )
        )
        self.say(None)

    @property
    def child_lives(self) -> bool:
        """Whether its child has not been ended."""
        return is_child(self._pid)

    def say(self, attempt: Attempt | None, stall_after_s: float = 600.0) -> None:
        """What the child says it works on."""
        lease_s = self.lease_s if attempt else 0.0
        slot = Slot(
            pid=self._pid,
            device="cpu",
            device_name="cpu",
            versions={},
            attempt=attempt,
            lease_s=lease_s,
            stall_after_s=stall_after_s,
            since_us=0 if attempt is None else 1,
            since_s=0.0,
        )
        self.file.write(slot)


@contextmanager
def kept(url: str, lease_s: float) -> Iterator[Kept]:
    """A worker with a child that does nothing, until the end of the test."""
    child = subprocess.Popen(["sleep", "600"])
    try:
        one = Kept(url, child.pid, lease_s)
        one.keeper.start()
        yield one
        one.keeper.finish()
        one.file.remove()
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("lease_s", [2.0, 8.0])
def test_a_lease_costs_the_same_however_long_it_is(client: redis.Redis, redis_url: str, lease_s: float) -> None:
    """Five renewals of a task's lease and three of the worker's own, whether it lasts for seconds or minutes."""
    assert Claims(client).claim(ATTEMPT, lease_s)[0] is ClaimAnswer.OK
    with kept(redis_url, lease_s) as one:
        one.say(ATTEMPT)
        await_(lambda: any(worker.state == "busy" for worker in read_fleet(client)))
        client.config_resetstat()
        time.sleep(lease_s)  # the time that is measured
        calls = commands(client)
        assert client.zscore(names.leases_key(RUN), ATTEMPT.task_id) is not None
    assert 4 <= calls["evalsha"] <= 6, calls
    assert 2 <= calls["sadd"] <= 4, calls
    assert sum(calls.values()) <= 6 * 8 + 4 * 2 + 4, calls  # a renewal carries out eight commands, an entry two


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "missed"])
def test_a_recall_is_seen_soon(client: redis.Redis, redis_url: str, heard: bool) -> None:
    """Whatever the lease, it is heard at once; who missed it is told when the lease is renewed."""
    claims = Claims(client)
    lease_s = 600.0 if heard else 2.0
    claims.claim(ATTEMPT, lease_s)
    with kept(redis_url, lease_s) as one:
        one.say(ATTEMPT)
        await_(lambda: listeners(client) == 1)
        await_(lambda: any(worker.state == "busy" for worker in read_fleet(client)))
        assert not one.file.is_recalled(ATTEMPT)
        if heard:
            claims.recall(RunId("another"))
            claims.recall(RUN)
        else:
            client.set(names.recall_key(RUN), "")
        await_(lambda: one.file.is_recalled(ATTEMPT))


def test_a_child_that_hangs_is_ended(client: redis.Redis, redis_url: str) -> None:
    """Without a word for `stall_after`; while it says that it goes on, it may take as long as it needs."""
    Claims(client).claim(ATTEMPT, 2.0)
    with kept(redis_url, 2.0) as one:
        one.say(ATTEMPT, stall_after_s=2.0)
        for _ in range(25):
            time.sleep(0.1)  # well below the time after which it would be taken to hang
            one.file.mark_progress()
            assert one.child_lives
        await_(lambda: not one.child_lives)


def test_the_lease_of_a_child_that_is_gone_is_left_to_end(client: redis.Redis, redis_url: str) -> None:
    """Nobody renews it any more, though the worker's main process lives."""
    claims = Claims(client)
    claims.claim(ATTEMPT, 1.0)
    with kept(redis_url, 1.0) as one:
        one.say(ATTEMPT, stall_after_s=0.1)
        await_(lambda: not one.child_lives)
        await_(lambda: claims.expired(RUN, {ATTEMPT.task_id: 1}, 1.0) == [ATTEMPT.task_id])


def test_a_superseded_attempt_is_recalled(client: redis.Redis, redis_url: str) -> None:
    """The supervisor published the next one: the child is told to let go."""
    claims = Claims(client)
    claims.claim(ATTEMPT, 1.0)
    with kept(redis_url, 1.0) as one:
        one.say(ATTEMPT)
        await_(lambda: any(worker.state == "busy" for worker in read_fleet(client)))
        claims.offer(RUN, ATTEMPT.task_id, 2)
        await_(lambda: one.file.is_recalled(ATTEMPT))


def test_a_child_with_nothing_to_do_is_ended_soon_when_its_worker_drains(client: redis.Redis, redis_url: str) -> None:
    """One that still hands back has longer."""
    with kept(redis_url, 5.0) as one:
        await_(lambda: any(worker.state == "idle" for worker in read_fleet(client)))
        one.say(ATTEMPT)
        one.keeper.drain()
        time.sleep(1.5)  # longer than an idle child is left
        assert one.child_lives
        one.say(None)
        await_(lambda: not one.child_lives)


def test_what_goes_wrong_with_one_recall_does_not_deafen_a_worker(client: redis.Redis, redis_url: str) -> None:
    """A slot that cannot be read at that moment: the next recall is heard."""
    heard: list[RunId] = []

    def hear(run_id: RunId) -> None:
        heard.append(run_id)
        raise ValueError("a slot that cannot be read")

    await_(lambda: listeners(client) == 0)  # those of other tests
    listener = RecallListener(connect(redis_url), hear, 60.0)
    listener.start()
    for number in (1, 2):
        await_(lambda: listeners(client) == 1)
        Claims(client).recall(RUN)
        await_(lambda: len(heard) == number and listeners(client) == 0)  # noqa: B023 - it is waited for here
    listener.stop()


def listeners(client: redis.Redis) -> int:
    """How many hear recalls."""
    return int(client.pubsub_numsub(names.RECALLS)[0][1])


def commands(client: redis.Redis) -> dict[str, int]:
    """How many of each command Redis has carried out, but for those that ask this."""
    stats: dict[str, Any] = client.info("commandstats")
    asked = ("cmdstat_info", "cmdstat_config|resetstat")
    return {name.removeprefix("cmdstat_"): one["calls"] for name, one in stats.items() if name not in asked}


def await_(holds: Callable[[], bool]) -> None:
    """Until it does."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, "that never came about"
        time.sleep(0.01)
