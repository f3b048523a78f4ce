"""The claim protocol against a real Redis."""

from __future__ import annotations

import pytest
import redis

from shared import names
from shared.artifacts import ArtifactRef
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.ids import RunId, TaskId, WorkerId
from shared.messages import Gathered, Released, decode_report

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
    ref = ArtifactRef(uri="x", sha256="y", size_bytes=1)
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
    """One that is renewed has one, though it ended long ago; of one that is reported none is wanted."""
    claims.claim(attempt(), LEASE_S)
    claims.renew(attempt(), -1.0)
    assert claims.without_lease(RUN, {TASK: 1}) == []
    claims.renew(attempt(), LEASE_S)
    claims.report(attempt(), gathered(attempt()), {})
    assert claims.without_lease(RUN, {TASK: 1}) == []
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
    assert (claims.expired(RUN, {TASK: 1}), claims.standing(RUN, {TASK: 1})) == ([], [TASK])
    claims.renew(attempt(), -1.0)
    assert (claims.expired(RUN, {TASK: 1}), claims.standing(RUN, {TASK: 1})) == ([TASK], [])


def test_a_lease_of_another_attempt_is_judged_for_nobody(claims: Claims) -> None:
    """While attempt 2 waits for its turn, the lease that attempt 1 let end is no news."""
    claims.claim(attempt(), LEASE_S)
    claims.renew(attempt(), -1.0)
    assert claims.expired(RUN, {TASK: 2}) == []


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


def test_claim_and_report_are_told_in_order(claims: Claims, client: redis.Redis) -> None:
    """The supervisor hears of both on the run's stream."""
    claims.claim(attempt(), LEASE_S)
    claims.report(attempt(), gathered(attempt()), {})
    told = [decode_report(fields["report"]) for _, fields in client.xrange(names.reports_key(RUN))]
    assert [type(report).__name__ for report in told] == ["Claimed", "Gathered"]
