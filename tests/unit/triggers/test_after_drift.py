"""Guard after_drift has a decision wait for rows to learn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import SECOND_US, Asking, play, rows

from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.build import policy_of
from supervisor.triggers.guards.after_drift import AfterDrift
from supervisor.triggers.guards.enough import Enough
from supervisor.triggers.policy import StreamStart, Trigger

START = StreamStart(first_key=0, event_time_us=0)
BLOCK = TriggerBlock("")


NEVER = {"enough": False, "why": "too few"}


def waiting(enough, every=10, trained_key=None, **options):
    """Policy data_amount, whose decisions wait so."""
    block = {"policy": "data_amount", "every": every, "after_drift": {"rows": enough, **options}}
    return policy_of(BLOCK.deserialize(block), StreamStart(first_key=0, event_time_us=0, trained_key=trained_key))


def test_a_training_waits_for_rows_behind_the_decision():
    """The first trigger passes; then each waits, and says so. What is decided meanwhile changes nothing."""
    played = play(waiting(25), rows(np.arange(80) * SECOND_US))
    assert [(one.key, one.reason) for one in played.fired] == [
        (9, "10 rows since key 0"),
        (44, "10 rows since key 10; after 25 rows of the new kind"),
        (74, "10 rows since key 40; after 25 rows of the new kind"),
    ]
    assert played.fired[1].timestamp_us == 44 * SECOND_US
    assert [(one.key, one.reason) for one in played.near_misses][:3] == [
        (19, "10 rows since key 10; after_drift: waits for 25 rows of the new kind"),
        (29, "10 rows since key 20; after_drift: 10 of 25 rows since the decision at key 19"),
        (39, "10 rows since key 30; after_drift: 20 of 25 rows since the decision at key 19"),
    ]


@given(
    every=st.integers(1, 20),
    enough=st.integers(1, 30),
    cuts=st.lists(st.integers(0, 100), max_size=8),
    kind=st.sampled_from(["data_amount", "time", "asking"]),
)
def test_batches_do_not_matter(every, enough, cuts, kind):
    """However rows are cut: the same triggers and near misses, also where a detector is asked in between."""
    batch = rows(np.arange(100) * SECOND_US)
    if kind == "asking":
        inner = Asking({"every": every, "at": 3}, START)
        policy = AfterDrift(Enough().load({"rows": enough}), inner, START)
    else:
        block = {"policy": kind, "every": every if kind == "data_amount" else f"{every}s"}
        policy = policy_of(BLOCK.deserialize({**block, "after_drift": {"rows": enough}}), START)
    answers = {"answers": lambda question: {"fires": question.key % 3 == 0}}
    whole = play(policy, batch, **answers)
    assert play(policy, batch, cuts, **answers).story() == whole.story()
    kept = [one.key for one in whole.near_misses if "waits for" in one.reason]
    for trigger in whole.fired[1:]:
        assert trigger.key - enough in kept


def test_a_trigger_of_somebody_else_ends_the_wait():
    """It has the new rows; and after `train_on_everything` the first decision waits like any other."""
    policy = waiting(25, trained_key=0)
    observed = policy.observe(rows(np.arange(30) * SECOND_US), policy.begin())
    assert (observed.decision, observed.seen_key) == (None, 9)
    told = policy.waits_for(15, 14 * SECOND_US, observed.state)
    assert told == "5 of 25 rows of the new kind"
    state = policy.fired(Trigger(number=1, key=14, timestamp_us=14 * SECOND_US, by_hand=True), observed.state)
    assert state["waits"] is None
    assert policy.waits_for(15, 14 * SECOND_US, state).endswith("rows to the next trigger")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"rows": "some"}, {"rows": "'some' is neither a number of rows, such as 500, nor auto."}),
        ({"rows": 0}, {"rows": "0 is not a whole number of at least 1."}),
        ({}, {"rows": "is missing; add it."}),
        (
            {"rows": 9, "least": 20, "ignore": ["x"]},
            dict.fromkeys(["least", "ignore"], "goes with rows auto; remove it."),
        ),
        ({"rows": "auto", "least": 5}, {"least": "5 is not a whole number of at least 20."}),
        (
            {"rows": "auto", "least": 500, "most": 400},
            {"most": "400 is fewer than least, 500; write at least as many."},
        ),
    ],
)
def test_what_says_no_number_of_rows_is_refused(written, told):
    """At its key."""
    with pytest.raises(ValidationError) as refused:
        BLOCK.deserialize({"policy": "data_drift", "after_drift": written})
    assert refused.value.messages["after_drift"] == {key: [sentence] for key, sentence in told.items()}


def test_no_group_at_all_is_refused():
    """`after_drift:` without a value."""
    with pytest.raises(ValidationError, match="is empty; give a value or remove the key"):
        BLOCK.deserialize({"policy": "data_drift", "after_drift": None})


def by_test(**options):
    """Policy data_amount, every 10 rows; rows of the new kind are tested."""
    return waiting("auto", **options)


def test_rows_are_tested_until_they_are_enough():
    """At looks that grow by a quarter; each says why they are not. The trigger's last row is the last one tested."""
    answers = {"answers": lambda question: {"enough": question.options["rows"][1] >= 59, "why": "why"}}
    played = play(by_test(least=20, most=200), rows(np.arange(100) * SECOND_US), **answers)
    assert [one.options for one in played.questions][:4] == [
        {"rows": [20, last], "ignore": []} for last in (39, 44, 51, 59)
    ]
    assert {one.detector for one in played.questions} == {"enough_rows"}
    assert [(one.key, one.reason) for one in played.fired][:2] == [
        (9, "10 rows since key 0"),
        (59, "10 rows since key 10; after 40 rows of the new kind: why"),
    ]
    missed = [one.reason for one in played.near_misses]
    assert missed[0] == "10 rows since key 10; after_drift: waits for 20 to 200 rows of the new kind"
    assert missed[1].endswith("; after_drift: 10 of 20 to 200 rows since the decision at key 19")
    told = "10 rows since key 10; after_drift: 20 rows of the new kind are not enough: why"
    assert told in missed


def test_most_rows_are_enough_whatever_is_found():
    """Without a question; and a decision of the policy at a row that is tested is a near miss, and told."""
    played = play(by_test(least=20, most=30), rows(np.arange(60) * SECOND_US), answers=lambda _: NEVER)
    assert [(one.key, one.reason) for one in played.fired] == [
        (9, "10 rows since key 0"),
        (49, "10 rows since key 10; after 30 rows of the new kind"),
    ]
    assert [one.key for one in played.questions] == [39, 44]
    at_the_first = [one.reason for one in played.near_misses if one.key == 39]
    assert [reason.split("; ")[1].split(":")[0] for reason in at_the_first] == ["after_drift", "after_drift"]
    assert at_the_first[0].endswith("20 of 20 to 30 rows since the decision at key 19")


@given(
    every=st.integers(1, 20),
    least=st.integers(20, 30),
    cuts=st.lists(st.integers(0, 200), max_size=8),
    modulus=st.integers(1, 5),
    kind=st.sampled_from(["data_amount", "asking"]),
)
def test_batches_do_not_matter_to_tests(every, least, cuts, modulus, kind):
    """However rows are cut, also where the policy asks at the same row: all is the same, and nothing waits for ever."""
    option = Enough().load({"rows": "auto", "least": least, "most": 60})
    if kind == "asking":
        policy = AfterDrift(option, Asking({"every": every, "at": 3}, START), START)
    else:
        policy = AfterDrift(option, waiting(1, every=every)._inner, START)

    def answered(question):
        enough = question.key % modulus == 0
        return {"fires": question.key % 3 == 0, "enough": enough, "why": ""}

    batch = rows(np.arange(200) * SECOND_US)
    whole = play(policy, batch, answers=answered)
    assert play(policy, batch, cuts, answers=answered).story() == whole.story()
    begun = [one.key for one in whole.near_misses if "waits for" in one.reason]
    assert all(any(key < one.key <= key + 60 for one in whole.fired) for key in begun if key + 60 < 200)


def test_an_answer_about_rows_that_somebody_else_took_counts_for_nothing():
    """The next decision waits from its own row on."""
    policy = by_test(least=20, most=60, trained_key=0)
    observed = policy.observe(rows(np.arange(30) * SECOND_US), policy.begin())
    while observed.question is None:
        first = observed.seen_key + 1
        observed = policy.observe(rows(np.arange(first, 30) * SECOND_US, first), observed.state)
    assert (observed.question.key, observed.question.options["rows"]) == (29, [10, 29])
    state = policy.fired(Trigger(number=1, key=29, timestamp_us=0, by_hand=True), observed.state)
    observed = policy.answer(observed.question, {"enough": True, "why": ""}, state)
    assert (observed.decision, observed.near_misses) == (None, ())
    assert (observed.state["waits"], observed.state["asked"], observed.state["looked"]) == (None, False, 0)
