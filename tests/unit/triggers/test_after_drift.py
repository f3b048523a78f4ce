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
from supervisor.triggers.policy import StreamStart, Trigger

START = StreamStart(first_key=0, event_time_us=0)
BLOCK = TriggerBlock("")


def waiting(enough, every=10, **start):
    """Policy data_amount, whose decisions wait so."""
    block = {"policy": "data_amount", "every": every, "after_drift": {"rows": enough}}
    return policy_of(BLOCK.deserialize(block), StreamStart(first_key=0, event_time_us=0, **start))


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
        policy = AfterDrift({"rows": enough}, inner, START)
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
        ({"rows": "auto"}, "auto is not available yet; available: a whole number of rows."),
        ({"rows": 0}, "0 is not a whole number of at least 1."),
        ({}, "is missing; add it."),
    ],
)
def test_what_is_no_number_of_rows_is_refused(written, told):
    """At its key."""
    with pytest.raises(ValidationError) as refused:
        BLOCK.deserialize({"policy": "data_drift", "after_drift": written})
    assert refused.value.messages["after_drift"]["rows"] == [told]
