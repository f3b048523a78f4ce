"""Guard warm_up: a policy's first looks lead to no trigger of its own, and it is asked all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import SECOND_US, Asking, play, rows

from shared.config.resolved import as_written
from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.build import policy_of
from supervisor.triggers.guards.warm_up import WarmUp, WarmUpField
from supervisor.triggers.policy import StreamStart, Trigger
from supervisor.triggers.together.voting import Voting

START = StreamStart(first_key=0, event_time_us=0)
BATCH = rows(np.arange(30) * SECOND_US)
FIELD = WarmUpField("")
BLOCK = TriggerBlock("")


def warming(written, every=4, start=START):
    """A policy that asks every so many rows, warmed up so."""
    return WarmUp(FIELD.deserialize(written), Asking({"every": every, "at": every - 1}, start), start)


def keys(told):
    """Where decisions or near misses are."""
    return [one.key for one in told]


def always(question):
    """It drifts wherever one looks."""
    return {"fires": True, "again": True}


def test_none_fires_but_the_very_first():
    """Further decisions of the first looks are near misses that say how many there were; each ends with an answer."""
    played = play(warming(3), BATCH, answers=always)
    assert keys(played.fired) == [3, 15, 19, 23, 27]
    assert [(one.key, one.reason) for one in played.near_misses] == [
        (7, "drift; warm_up: look 2 of 3"),
        (11, "drift; warm_up: look 3 of 3"),
    ]
    assert len(played.questions) == 14
    trained = StreamStart(first_key=0, event_time_us=0, trained_key=-1)
    assert keys(play(warming(3, start=trained), BATCH, answers=always).fired) == [15, 19, 23, 27]


def test_calm_looks_count_too():
    """A look is a look, whatever it found."""
    played = play(warming(2), BATCH, answers=lambda question: {"fires": question.key > 3})
    assert keys(played.fired) == [7, 11, 15, 19, 23, 27]
    assert [one.reason for one in played.near_misses] == ["calm"]


@given(cuts=st.lists(st.integers(0, 30), max_size=6), every=st.integers(1, 6), looks=st.integers(1, 6))
def test_another_policy_decides_meanwhile(cuts, every, looks):
    """Up to the last look of the warm-up and no longer, in any batches; at a row where both look after the answer."""
    written = {"looks": looks, "policy": {"policy": "data_amount", "every": 3}}
    played = play(warming(written, every), BATCH, cuts, answers=always)
    own = list(range(every - 1, 30, every))
    last = own[looks - 1] if looks <= len(own) else 29
    assert keys(played.fired) == [*range(2, last + 1, 3), *own[looks:]]
    assert keys(played.near_misses) == own[:looks]
    assert keys(played.questions)[::2] == own
    assert played.story() == play(warming(written, every), BATCH, answers=always).story()


def test_what_is_decided_meanwhile_is_forgotten_where_a_trigger_has_its_rows():
    """By hand, while a question is open at the row behind it: decisions come in key order."""
    written = {"looks": 2, "policy": {"policy": "time", "every": "4s"}}
    policy = warming(written, every=5)
    asked = policy.observe(BATCH, policy.begin())
    assert asked.question.key == 4
    by_hand = policy.fired(Trigger(number=0, key=4, timestamp_us=4 * SECOND_US, by_hand=True), asked.state)
    assert policy.answer(asked.question, {"fires": False}, by_hand).decision is None
    assert policy.answer(asked.question, {"fires": False}, asked.state).decision.key == 3


@given(cuts=st.lists(st.integers(0, 30), max_size=6), looks=st.integers(1, 4))
@example(cuts=[], looks=1)
def test_near_misses_without_a_question_are_looks_in_any_batches(cuts, looks):
    """What an ensemble notes between two rows at which it stops ends the warm-up there, not at the next stop."""
    asks = Asking({"every": 29, "at": 28}, START)
    five = policy_of(BLOCK.deserialize({"policy": "data_amount", "every": 5}), START)
    written = {"looks": looks, "policy": {"policy": "data_amount", "every": 7}}
    policy = WarmUp(FIELD.deserialize(written), Voting({"five": five, "asks": asks}, "all", None, None), START)
    played = play(policy, BATCH, cuts, answers=lambda question: {"fires": False})
    assert keys(played.fired) == [key for key in (6, 13, 20, 27) if (key + 1) // 5 < looks]


def test_reasons_tell_of_the_warm_up():
    """Which look it is, and what is waited for."""
    policy = warming({"looks": 2, "policy": {"policy": "data_amount", "every": 5}})
    played = play(policy, BATCH.part(0, 7), answers=always)
    assert played.fired[0].reason == "warm-up, 1 of 2 looks: 5 rows since key 0"
    assert policy.waits_for(7, 0, played.state) == "warm-up, 1 of 2 looks; 2 of 5 rows to the next trigger"
    assert policy.waits_for(30, 0, play(policy, BATCH, answers=always).state) == ""


def test_where_there_are_no_looks_there_is_no_warm_up():
    """It is refused at its key, also around policies that vote; so is a meanwhile that needs one itself."""
    block = TriggerBlock("")
    for policy in (
        {"policy": "data_amount", "every": 5},
        {"policy": "ensemble", "policies": [{"policy": "time", "every": "1d"}]},
    ):
        with pytest.raises(ValidationError) as refused:
            block.deserialize({**policy, "warm_up": 3})
        told = f"counts looks of detectors, and {policy['policy']} has none; remove it, or write cool_down."
        assert refused.value.messages == {"warm_up": [told]}


def test_it_is_written_as_it_was_read():
    """A number, or a group with its defaults."""
    group = {"looks": 3, "policy": {"policy": "data_amount", "every": 5}}
    assert [FIELD.written(FIELD.deserialize(one)) for one in (7, group)] == [7, group]
    assert as_written(FIELD, FIELD.deserialize({"looks": 7})) == 7
    with pytest.raises(ValidationError, match="write it in the outermost group"):
        FIELD.deserialize({"looks": 3, "policy": {**group["policy"], "max_wait": "1d"}})
    with pytest.raises(ValidationError, match="did you mean every"):
        FIELD.deserialize({"looks": 3, "policy": {"policy": "data_amount", "evry": 5}})
