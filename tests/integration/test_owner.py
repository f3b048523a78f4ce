"""One owner per run, on a real Redis: taken, renewed, lost and left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared.broker import connect
from shared.errors import RunTakenError
from shared.ids import RunId
from shared.names import owner_key, owner_terms_key
from supervisor.run.owner import Owner

RUN = RunId("run")
LEASE_S = 30.0
FAR = {"host": "far", "machine": "far", "pid": "7", "started": "7"}  # a process that nobody here can see


def owner(client: redis.Redis, lease_s: float = LEASE_S) -> Owner:
    """A supervisor that would like to own the run."""
    return Owner(client, RUN, lease_s)


def taken(client: redis.Redis, lease_s: float = LEASE_S, **about: str) -> Owner:
    """The owner; `about`: what Redis knows otherwise of it."""
    one = owner(client, lease_s)
    one.take()
    if about:
        client.hset(owner_key(RUN), mapping=dict(about))
    return one


def ended_process() -> dict[str, str]:
    """A process of this machine that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return {"pid": str(process.pid), "started": "1"}


def test_while_one_owns_the_run_another_is_refused(client: redis.Redis) -> None:
    """It is told who has the run; once that one has left, it has it."""
    first, second = taken(client), owner(client)
    with pytest.raises(RunTakenError, match=rf"another supervisor, process {os.getpid()} on .*, is working on run run"):
        second.take()
    first.leave()
    second.take()
    with pytest.raises(RunTakenError):
        first.renew()
    second.renew()


def test_each_owner_numbers_its_attempts_above_those_of_all_before(client: redis.Redis) -> None:
    """Also one that goes on from a copy of the journal, and knows only a part of what was done."""
    first = taken(client)
    assert first.attempts_above == 0
    first.leave()
    second = taken(client)
    second.renew()
    assert second.attempts_above == 1_000_000


def test_what_was_left_by_a_killed_process_is_taken_at_once(client: redis.Redis) -> None:
    """Nobody waits for the lease of a process of this machine that is gone."""
    taken(client, **ended_process())
    began_s = time.monotonic()
    owner(client).take()
    assert time.monotonic() - began_s < LEASE_S / 10


def test_the_lease_of_another_machine_is_awaited(client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Said once; when it has ended, the run is taken."""
    taken(client, 1.0, **FAR)
    owner(client).take()
    told = [record.getMessage() for record in caplog.records if "belongs to process 7 on far" in record.getMessage()]
    assert len(told) == 1
    assert client.hget(owner_key(RUN), "machine") != "far"


def test_who_renews_on_another_machine_is_alive(client: redis.Redis) -> None:
    """The other is refused as soon as it has seen that, not when a lease has ended."""
    first = taken(client, 5.0, **FAR)
    refused: list[str] = []

    def want() -> None:
        with pytest.raises(RunTakenError, match="process 7 on far") as told:
            owner(client).take()
        refused.append(str(told.value))

    waiting = threading.Thread(target=want)
    waiting.start()
    while waiting.is_alive():
        first.renew()
        client.hset(owner_key(RUN), mapping=dict(FAR))
        waiting.join(0.05)
    assert len(refused) == 1


def test_a_clock_that_was_set_back_prolongs_no_lease(client: redis.Redis) -> None:
    """Redis counts a key's life by its clock: an hour back is an hour more."""
    taken(client, 1.0, **FAR)
    client.pexpire(owner_key(RUN), 3_600_000)
    owner(client).take()
    assert client.hget(owner_key(RUN), "machine") != "far"


def test_after_a_wipe_the_owner_is_written_anew(client: redis.Redis) -> None:
    """And who comes then is refused."""
    first = taken(client)
    client.flushall()
    first.renew()
    with pytest.raises(RunTakenError):
        owner(client).take()


def test_an_older_entry_is_no_rival(client: redis.Redis) -> None:
    """Redis came back as it was when somebody else owned the run: the owner of now writes itself anew."""
    taken(client, **FAR)
    entry, terms = client.hgetall(owner_key(RUN)), client.get(owner_terms_key(RUN))
    client.delete(owner_key(RUN))
    second = taken(client)
    client.hset(owner_key(RUN), mapping=entry)
    client.set(owner_terms_key(RUN), terms)
    second.renew()
    assert client.hget(owner_key(RUN), "machine") != "far"


def test_who_takes_a_run_up_again_comes_after_who_had_it_meanwhile(client: redis.Redis) -> None:
    """So that what Redis once knew of that one, who has left, is older to it."""
    first = taken(client)
    client.delete(owner_key(RUN))  # its lease ended
    second = taken(client, **FAR)
    left = client.hgetall(owner_key(RUN))
    second.leave()
    first.renew()
    client.hset(owner_key(RUN), mapping=left)
    first.renew()
    assert client.hget(owner_key(RUN), "token") == first.token


def test_who_had_the_run_meanwhile_is_noticed_after_an_outage(client: redis.Redis) -> None:
    """Taken up again where the key is free; refused, for ever, where another has it."""
    first = taken(client)
    client.delete(owner_key(RUN))  # its lease ended
    second = taken(client)
    second.leave()
    first.renew()
    client.delete(owner_key(RUN))
    third = taken(client)
    with pytest.raises(RunTakenError):
        first.renew()
    third.leave()
    with pytest.raises(RunTakenError):
        first.renew()
    assert first.is_lost
    assert not client.exists(owner_key(RUN))


def test_a_confirmation_asks_only_where_a_lease_has_passed(client: redis.Redis) -> None:
    """A process that stood still finds out before it acts."""
    now_s = 0.0
    one = Owner(client, RUN, LEASE_S, lambda: now_s)
    one.take()
    client.delete(owner_key(RUN))
    taken(client)
    one.confirm()
    now_s = LEASE_S + 1
    with pytest.raises(RunTakenError):
        one.confirm()


def test_a_thread_renews_and_nothing_is_left_behind(client: redis.Redis) -> None:
    """While the context lasts another is refused, however many leases that is; then the key is gone."""
    with owner(client, 0.3):
        beat = int(client.hget(owner_key(RUN), "beat") or 0)
        while int(client.hget(owner_key(RUN), "beat") or 0) < beat + 7:
            assert client.exists(owner_key(RUN))
        with pytest.raises(RunTakenError):
            owner(client).take()
    assert not client.exists(owner_key(RUN))


class Ownership(RuleBasedStateMachine):
    """Two supervisors of one run, whatever becomes of Redis: what an answer makes one of them cannot be both."""

    server_url = ""

    @initialize()
    def begin(self) -> None:
        """An empty Redis."""
        self.client = connect(self.server_url)
        self.client.flushall()
        self.owners: dict[int, Owner] = {}
        self.saved: tuple[dict[str, str], str | None] = ({}, None)
        self.undisturbed = True

    def teardown(self) -> None:
        """Leave nothing open."""
        if hasattr(self, "client"):
            self.client.close()

    @rule(who=st.integers(0, 1))
    def arrives(self, who: int) -> None:
        """A supervisor wants the run: it is refused as long as Redis knows of one that is alive, and only then."""
        if who in self.owners:
            return
        known = self.client.hgetall(owner_key(RUN))
        is_free = not known or known["started"] == "gone"
        one = owner(self.client)
        try:
            one.take()
        except RunTakenError:
            assert not is_free
            return
        assert is_free
        self.owners[who] = one

    @rule(who=st.integers(0, 1))
    def renews(self, who: int) -> None:
        """After the answer it may act, and Redis knows nobody else; or it never acts again."""
        if who not in self.owners or self.owners[who].is_lost:
            return
        try:
            self.owners[who].renew()
        except RunTakenError:
            assert not self.client_knows(self.owners[who])
            return
        assert self.client_knows(self.owners[who])

    @rule(who=st.integers(0, 1))
    def leaves(self, who: int) -> None:
        """It ends, and so does its key, but nobody else's."""
        one = self.owners.pop(who, None)
        others = [other for other in self.acting() if self.client_knows(other)]
        if one is not None:
            one.leave()
            assert not self.client_knows(one)
        assert all(self.client_knows(other) for other in others if other is not one)

    @rule(who=st.integers(0, 1))
    def dies(self, who: int) -> None:
        """Killed: its key stays, of a process that is gone."""
        one = self.owners.pop(who, None)
        if one is not None and self.client_knows(one):
            self.client.hset(owner_key(RUN), mapping={"pid": "1", "started": "gone"})

    @rule()
    def wiped(self) -> None:
        """Redis forgets."""
        self.client.flushall()
        self.undisturbed = False

    @rule()
    def lease_ends(self) -> None:
        """As after an outage, or where a clock was set forward."""
        self.client.delete(owner_key(RUN))
        self.undisturbed = False

    @rule()
    def saves(self) -> None:
        """What an older Redis knew."""
        self.saved = (self.client.hgetall(owner_key(RUN)), self.client.get(owner_terms_key(RUN)))

    @rule()
    def comes_back_older(self) -> None:
        """With somebody's old entry, and as a clock was set back, it lives on."""
        self.client.flushall()
        entry, terms = self.saved
        if entry:
            self.client.hset(owner_key(RUN), mapping=entry)
            self.client.pexpire(owner_key(RUN), 3_600_000)
        if terms:
            self.client.set(owner_terms_key(RUN), terms)
        self.undisturbed = False

    @rule()
    def settles(self) -> None:
        """Each renews twice with nothing in between: one at most is left that acts."""
        for _ in range(2):
            for who in (0, 1):
                self.renews(who)
        assert len(self.acting()) <= 1
        self.undisturbed = True

    @invariant()
    def one_at_most_was_answered(self) -> None:
        """Where Redis lost nothing, two never act; else at most until the other's next renewal."""
        if hasattr(self, "owners") and self.undisturbed:
            assert len(self.acting()) <= 1

    def acting(self) -> list[Owner]:
        """Those that believe to own the run."""
        return [one for one in self.owners.values() if not one.is_lost]

    def client_knows(self, one: Owner) -> bool:
        """Whether Redis has this one for the owner."""
        return self.client.hget(owner_key(RUN), "token") == one.token


def test_two_supervisors_never_both_act(redis_url: str) -> None:
    """Whatever happens to them and to Redis."""
    machine = type("OwnershipHere", (Ownership,), {"server_url": redis_url})
    run_state_machine_as_test(machine, settings=settings(max_examples=200, stateful_step_count=30, deadline=None))
