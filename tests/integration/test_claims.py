"""The claim protocol against a real Redis."""

from __future__ import annotations

import pytest
import redis

from shared import names
from shared.artifacts import ArtifactRef
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.ids import RunId, TaskId, WorkerId
from shared.messages.reports import Gathered, Released, decode_report

LEASE_S = 30.0
RUN, TASK = RunId("run"), TaskId("run/0/gather/0")


@pytest.fixture
def claims(client: redis.Redis) -> Claims:
    """The protocol on an empty Redis."""
    return Claims(client)


def attempt(number: int = 1, worker: str = "a") -> Attempt:
    """An attempt at the task."""
    return Attempt(run_id=RUN, task_id=TASK, number=number, worker=WorkerId(worker))


def gathered(of: Attempt) -> Gathered:
    """A report of the task."""
    ref = ArtifactRef(name="x", sha256="y", size_bytes=1)
    return Gathered(task_id=TASK, attempt=of.number, worker=of.worker, model=ref)


def test_one_of_two_workers_gets_the_attempt(claims: Claims) -> None:
    """The second delivery of a message finds the attempt taken."""
    assert claims.claim(attempt(worker="a"), LEASE_S)[0] is ClaimAnswer.OK
    assert claims.claim(attempt(worker="b"), LEASE_S)[0] is ClaimAnswer.BUSY


def test_a_late_delivery_gets_the_recorded_result(claims: Claims) -> None:
    """Done work is not done again: its result is returned."""
    claims.claim(attempt(), LEASE_S)
    assert claims.report(attempt(), gathered(attempt()), {"n": 3})
    assert claims.claim(attempt(worker="b"), LEASE_S) == (ClaimAnswer.DONE, {"n": 3})


def test_a_report_whose_answer_was_lost_counts_once(claims: Claims, client: redis.Redis) -> None:
    """Sent once more, it is as good as before, and the supervisor hears it once; handed back likewise."""
    claims.claim(attempt(), LEASE_S)
    released = Released(task_id=TASK, attempt=1, worker=WorkerId("a"))
    assert [claims.report(attempt(), released, None) for _ in range(2)] == [True, True]
    claims.claim(attempt(), LEASE_S)
    assert [claims.report(attempt(), gathered(attempt()), {}) for _ in range(2)] == [True, True]
    told = [decode_report(fields["report"]) for _, fields in client.xrange(names.reports_key(RUN))]
    assert [type(report).__name__ for report in told] == ["Claimed", "Released", "Claimed", "Gathered"]
    assert not claims.report(attempt(worker="b"), gathered(attempt(worker="b")), {})


def test_a_claim_that_redis_alone_forgot_has_no_lease(claims: Claims, client: redis.Redis) -> None:
    """One that is renewed has one, though it ended long ago; one that is reported has none."""
    claims.claim(attempt(), LEASE_S)
    claims.renew(attempt(), -1.0)
    assert claims.without_lease(RUN, {TASK: 1}) == []
    claims.renew(attempt(), LEASE_S)
    claims.report(attempt(), gathered(attempt()), {})
    assert claims.without_lease(RUN, {TASK: 1}) == [TASK]
    client.delete(names.leases_key(RUN), names.claim_key(TASK))
    assert claims.without_lease(RUN, {TASK: 1}) == [TASK]


def test_a_superseded_attempt_can_neither_renew_nor_report(claims: Claims) -> None:
    """After a new attempt was published and taken, the old owner's work counts for nothing."""
    claims.claim(attempt(), LEASE_S)
    claims.offer(RUN, TASK, 2)
    assert claims.claim(attempt(), LEASE_S)[0] is ClaimAnswer.SUPERSEDED
    assert claims.claim(attempt(2, "b"), LEASE_S)[0] is ClaimAnswer.OK
    assert not claims.renew(attempt(), LEASE_S)
    assert not claims.report(attempt(), gathered(attempt()), {})


def test_a_wiped_redis_forgets_nothing_that_counts(claims: Claims, client: redis.Redis) -> None:
    """The owner writes its claim anew when it renews, and can report."""
    claims.claim(attempt(), LEASE_S)
    client.flushall()
    assert claims.renew(attempt(), LEASE_S)
    assert claims.report(attempt(), gathered(attempt()), {})


def test_a_lease_that_is_not_renewed_expires(claims: Claims) -> None:
    """An attempt whose lease ended is found, and stands no longer; one with time left stands."""
    claims.claim(attempt(), LEASE_S)
    assert (claims.expired(RUN, {TASK: 1}, LEASE_S), claims.standing(RUN, {TASK: 1}, LEASE_S)) == ([], [TASK])
    claims.renew(attempt(), -1.0)
    assert (claims.expired(RUN, {TASK: 1}, LEASE_S), claims.standing(RUN, {TASK: 1}, LEASE_S)) == ([TASK], [])


def test_a_lease_of_another_attempt_is_judged_for_nobody(claims: Claims) -> None:
    """While attempt 2 waits for its turn, the lease that attempt 1 let end is no news."""
    claims.claim(attempt(), LEASE_S)
    claims.renew(attempt(), -1.0)
    assert claims.expired(RUN, {TASK: 2}, LEASE_S) == []


def test_a_result_answers_only_for_its_own_attempt(claims: Claims, client: redis.Redis) -> None:
    """A zombie that reports after Redis was wiped cannot keep the attempt the supervisor waits for from being done."""
    claims.claim(attempt(), LEASE_S)
    client.flushall()
    assert claims.report(attempt(), gathered(attempt()), {"old": True})
    assert claims.claim(attempt(2, "b"), LEASE_S)[0] is ClaimAnswer.OK
    assert claims.report(attempt(2, "b"), gathered(attempt(2, "b")), {"new": True})
    assert claims.claim(attempt(2, "c"), LEASE_S) == (ClaimAnswer.DONE, {"new": True})


def test_an_attempt_that_was_judged_lost_while_it_reported_is_done_again(claims: Claims) -> None:
    """The new attempt is offered although the old one is recorded as done: its report will not count."""
    claims.claim(attempt(), LEASE_S)
    claims.report(attempt(), gathered(attempt()), {})
    claims.offer(RUN, TASK, 2)
    assert claims.claim(attempt(2, "b"), LEASE_S)[0] is ClaimAnswer.OK


def test_a_released_task_may_be_claimed_again(claims: Claims) -> None:
    """What was handed back is open to the next attempt."""
    claims.claim(attempt(), LEASE_S)
    claims.report(attempt(), Released(task_id=TASK, attempt=1, worker=WorkerId("a")), None)
    claims.offer(RUN, TASK, 2)
    assert claims.claim(attempt(2, "b"), LEASE_S)[0] is ClaimAnswer.OK


def snapshot(client: redis.Redis) -> dict[str, bytes]:
    """All that Redis knows now."""
    with redis.Redis(connection_pool=client.connection_pool, decode_responses=False) as raw:
        return {key: raw.execute_command("DUMP", key, NEVER_DECODE=True) for key in client.scan_iter()}


def restore(client: redis.Redis, known: dict[str, bytes]) -> None:
    """Redis comes back without what it heard since."""
    client.flushall()
    for key, body in known.items():
        client.restore(key, 0, body)


def test_an_older_attempt_that_redis_came_back_with_is_no_rival(claims: Claims, client: redis.Redis) -> None:
    """A failover lost the newest second: the owner of attempt 2 renews and reports all the same, and no other."""
    claims.claim(attempt(), LEASE_S)
    known = snapshot(client)
    claims.offer(RUN, TASK, 2)
    assert claims.claim(attempt(2, "b"), LEASE_S)[0] is ClaimAnswer.OK
    restore(client, known)
    assert claims.without_lease(RUN, {TASK: 2}) == [TASK]
    assert claims.renew(attempt(2, "b"), LEASE_S)
    assert not claims.renew(attempt(), LEASE_S)
    assert claims.without_lease(RUN, {TASK: 2}) == []
    restore(client, known)
    assert claims.report(attempt(2, "b"), gathered(attempt(2, "b")), {})
    assert not claims.report(attempt(), gathered(attempt()), {})


def test_a_superseded_attempt_that_renews_first_after_a_wipe_gives_way(claims: Claims, client: redis.Redis) -> None:
    """Redis forgot everything, and a zombie is the first to speak: the attempt that counts takes its place."""
    claims.claim(attempt(), LEASE_S)
    claims.offer(RUN, TASK, 2)
    claims.claim(attempt(2, "b"), LEASE_S)
    client.flushall()
    assert claims.renew(attempt(), LEASE_S)
    assert claims.renew(attempt(2, "b"), LEASE_S)
    assert not claims.renew(attempt(), LEASE_S)


def test_an_offer_that_redis_came_back_with_is_its_owners(claims: Claims, client: redis.Redis) -> None:
    """It lost the claim, and knows that attempt 2 was offered: the worker that has it renews, and no other gets it."""
    claims.offer(RUN, TASK, 2)
    known = snapshot(client)
    claims.claim(attempt(2, "b"), LEASE_S)
    restore(client, known)
    assert claims.without_lease(RUN, {TASK: 2}) == [TASK]
    assert claims.renew(attempt(2, "b"), LEASE_S)
    assert claims.claim(attempt(2, "c"), LEASE_S)[0] is ClaimAnswer.BUSY


def test_what_was_handed_back_is_not_renewed(claims: Claims) -> None:
    """A renewal that overtakes the child's word must not take the task back."""
    claims.claim(attempt(), LEASE_S)
    claims.report(attempt(), Released(task_id=TASK, attempt=1, worker=WorkerId("a")), None)
    assert not claims.renew(attempt(), LEASE_S)
    assert claims.standing(RUN, {TASK: 1}, LEASE_S) == []


def test_no_lease_outlives_a_clock_that_was_set_back(claims: Claims, client: redis.Redis) -> None:
    """A dead worker's lease seems to go on for an hour: it ends a lease from when it is seen."""
    claims.claim(attempt(), LEASE_S)
    client.zincrby(names.leases_key(RUN), 3_600_000, TASK)  # what a clock that went back by an hour makes of it
    assert claims.standing(RUN, {TASK: 1}, LEASE_S) == [TASK]
    client.zincrby(names.leases_key(RUN), -1000 * (LEASE_S + 1), TASK)  # a lease later
    assert claims.standing(RUN, {TASK: 1}, LEASE_S) == []
    assert claims.expired(RUN, {TASK: 1}, LEASE_S) == [TASK]


def test_a_copy_of_a_message_whose_trigger_is_settled_is_worth_nothing(claims: Claims) -> None:
    """It lay in a queue until the claim of its task was forgotten; nobody trains for hours in vain."""
    claims.settle(RUN, 1)
    assert claims.claim(attempt(), LEASE_S)[0] is ClaimAnswer.SUPERSEDED
    later = Attempt(run_id=RUN, task_id=TaskId("run/1/gather/0"), number=1, worker=WorkerId("a"))
    assert claims.claim(later, LEASE_S)[0] is ClaimAnswer.OK
    scored = Attempt(run_id=RUN, task_id=TaskId("run/0/slices/7"), number=1, worker=WorkerId("a"))
    assert claims.claim(scored, LEASE_S)[0] is ClaimAnswer.OK, "a model is scored long after it was made"


def test_a_done_claim_is_kept_for_minutes(claims: Claims, client: redis.Redis) -> None:
    """Open ones wait for a supervisor that is away for days; done ones are many."""
    claims.claim(attempt(), LEASE_S)
    assert client.pttl(names.claim_key(TASK)) > names.DONE_TTL_MS
    claims.report(attempt(), gathered(attempt()), {})
    assert client.pttl(names.claim_key(TASK)) <= names.DONE_TTL_MS


def test_claim_and_report_are_told_in_order(claims: Claims, client: redis.Redis) -> None:
    """The supervisor hears of both on the run's stream."""
    claims.claim(attempt(), LEASE_S)
    claims.report(attempt(), gathered(attempt()), {})
    told = [decode_report(fields["report"]) for _, fields in client.xrange(names.reports_key(RUN))]
    assert [type(report).__name__ for report in told] == ["Claimed", "Gathered"]
