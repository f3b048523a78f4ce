"""An ensemble fires when enough of its policies' votes stand, however rows are batched, and says who voted and why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import SECOND_US, Asking, decided, play, rows

from shared.config.resolved import as_written
from shared.config.schema.trigger import TriggerBlock, objections_of
from supervisor.triggers.build import policy_of
from supervisor.triggers.looks.span import Span
from supervisor.triggers.policy import StreamStart, Trigger
from supervisor.triggers.rules.combine import votes_needed
from supervisor.triggers.together.voting import Voting

BLOCK = TriggerBlock("")
TIME, AMOUNT = {"policy": "time", "every": "6s"}, {"policy": "data_amount", "every": 5}
steps = st.lists(st.integers(-3, 4) | st.integers(20, 60), min_size=2, max_size=60)
cuts = st.lists(st.integers(0, 60), max_size=8)


def stream(steps, first_key=0):
    """Rows whose event time is the running maximum of a walk in seconds."""
    return rows(np.maximum.accumulate(np.cumsum(steps) * SECOND_US), first_key)


def made(block, batch):
    """The policy of a block as a file has it."""
    start = StreamStart(first_key=batch.first_key, event_time_us=int(batch.event_time_us[0]))
    return policy_of(BLOCK.deserialize(block), start)


def keys(block, batch, cuts=()):
    """Of its triggers."""
    return [decision.key for decision in decided(made(block, batch), batch, cuts)]


def voting(batch, members, combine, within=None):
    """One of policies that ask: name → every so many rows, from that row on."""
    start = StreamStart(first_key=batch.first_key, event_time_us=0)
    policies = {name: Asking({"every": every, "at": at}, start) for name, (every, at) in members.items()}
    return Voting(policies, combine, within, None)


@given(steps=steps, cuts=cuts, first_key=st.integers(0, 99))
@example(steps=[1, 1, 1, 1, 9], cuts=[], first_key=3)
def test_any_of_time_and_data_amount_is_the_union_of_both(steps, cuts, first_key):
    """Also of two triggers one row apart: the second is told with the next row, or, at the end, by the next poll."""
    batch = stream(steps, first_key)
    time, amount = keys(TIME, batch), keys(AMOUNT, batch)
    expected, last_key = {*time, *amount}, batch.stop_key - 1
    policy = made({"policy": "ensemble", "policies": [TIME, AMOUNT]}, batch)
    played = play(policy, batch, cuts)
    polled = policy.quiet(0, last_key, int(batch.event_time_us[-1]), played.state).decision
    assert (polled is not None) == (last_key - 1 in time and last_key in amount)
    assert [one.key for one in (*played.fired, *([polled] if polled else []))] == sorted(expected)


@given(
    steps=steps,
    cuts=cuts,
    combine=st.sampled_from(["any", "all", "majority", {"at_least": 2}]),
    within=st.none() | st.integers(1, 9) | st.integers(1, 9).map("{}s".format),
)
@example(steps=[1] * 20, cuts=[], combine={"at_least": 2}, within=2)
@example(steps=[1] * 20, cuts=[], combine={"at_least": 2}, within="2s")
def test_votes_stand_until_a_trigger_or_for_so_long(steps, cuts, combine, within):
    """As counted by hand: all decisions in the order of their keys."""
    batch = stream(steps)
    members = {"time": TIME, "five": AMOUNT, "seven": {"policy": "data_amount", "every": 7}}
    votes, expected, times = {}, [], batch.event_time_us
    wanted = {name: keys(block, batch) for name, block in members.items()}
    for key in sorted({one for many in wanted.values() for one in many}):
        votes |= {name: key for name, many in wanted.items() if key in many}
        ages = [times[key] - times[one] if isinstance(within, str) else key - one for one in votes.values()]
        longest = np.inf if within is None else int(within[:-1]) * SECOND_US if isinstance(within, str) else within
        if sum(age < longest for age in ages) >= votes_needed(combine, 3):
            expected.append(key)
            votes = {}
    block = {"policy": "ensemble", "policies": members, "combine": combine, **({"within": within} if within else {})}
    played = play(made(block, batch), batch, cuts)
    last_two = {batch.stop_key - 2, batch.stop_key - 1}
    assert [one.key for one in played.fired] == expected or {*expected} ^ {one.key for one in played.fired} <= last_two
    assert played.story() == play(made(block, batch), batch).story()


@settings(max_examples=40)
@given(
    cuts=cuts,
    answers=st.lists(st.sampled_from(["calm", "drift", "again"]), min_size=1, max_size=9),
    everies=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5)),
    combine=st.sampled_from(["any", "all", "majority"]),
)
def test_what_asks_and_what_is_nested_does_the_same_in_any_batches(cuts, answers, everies, combine):
    """Questions, triggers, reasons and near misses are the same; each policy asks at the rows where it would alone."""
    batch = rows(np.arange(40) * SECOND_US)

    def answer(question):
        says = answers[(question.key + question.options["every"]) % len(answers)]
        return {"fires": says == "drift", "again": says == "again"}

    def nested():
        inner = voting(batch, {"a": (everies[0], 3), "b": (everies[1], 3)}, "all")
        start = StreamStart(first_key=0, event_time_us=0)
        c = Asking({"every": everies[2], "at": 5}, start)
        policies = {"inner": inner, "c": c, "time": made({"policy": "time", "every": "7s"}, batch)}
        return Voting(policies, combine, Span({"rows": 6, "duration_s": None}), None)

    whole, piecewise = play(nested(), batch, answers=answer), play(nested(), batch, cuts, answers=answer)
    assert piecewise.story() == whole.story()
    for every, first in {(everies[0], 3), (everies[1], 3), (everies[2], 5)}:
        asked = {one.key for one in whole.questions if one.options["every"] == every}
        assert asked >= set(range(first, 40, every))


def test_questions_at_a_row_come_one_after_the_other():
    """Nothing is decided before all are answered; then the reason names all who voted. Each is told of the trigger."""
    batch = rows(np.arange(12) * SECOND_US)
    policy = voting(batch, {"mmd": (4, 3), "loss": (8, 3), "calm": (6, 3)}, "majority")
    played = play(policy, batch, [6], answers=lambda one: {"fires": one.options["every"] != 6, "again": True})
    assert [(one.key, one.options["every"], one.options["again"]) for one in played.questions] == [
        (3, 4, False), (3, 4, True), (3, 8, False), (3, 8, True), (3, 6, False), (3, 6, True),
        (7, 4, False), (7, 4, True), (9, 6, False), (9, 6, True), (11, 4, False), (11, 4, True), (11, 8, False),
        (11, 8, True),
    ]  # fmt: skip
    assert [(one.key, one.reason) for one in played.fired] == [
        (3, "2 of 3 fired, 2 needed: mmd at key 3: drift; loss at key 3: drift; calm has not voted"),
        (11, "2 of 3 fired, 2 needed: mmd at key 11: drift; loss at key 11: drift; calm has not voted"),
    ]
    assert [(one.key, one.reason) for one in played.near_misses] == [
        (3, "calm: calm"),
        (7, "1 of 3 fired, 2 needed: mmd at key 7: drift; 2 have not voted"),
        (9, "calm: calm"),
    ]
    assert played.questions[6].options["fired"] == [3]


def test_a_trigger_by_others_clears_votes():
    """Who voted before it has had what it wanted: a question that was open then makes no vote either."""
    batch = rows(np.arange(8) * SECOND_US)
    policy = voting(batch, {"a": (4, 3), "b": (4, 3)}, "any")
    observed = policy.observe(batch, policy.begin())
    observed = policy.answer(observed.question, {"fires": True}, observed.state)
    state = policy.fired(Trigger(number=0, key=3, timestamp_us=0), observed.state)
    observed = policy.answer(observed.question, {"fires": True}, state)
    assert (observed.decision, observed.question) == (None, None)
    assert policy.waits_for(4, 0, observed.state) == "0 of 1 votes"


def test_a_decision_that_is_kept_is_not_repeated_before_the_next_vote():
    """Votes stand on, so that the next one decides again, and is told with them."""
    batch = rows(np.arange(20) * SECOND_US)
    block = {"policy": "ensemble", "policies": {"five": AMOUNT, "seven": {"policy": "data_amount", "every": 7}}}
    policy = made({**block, "combine": "all"}, batch)
    played = play(policy, batch, fires=lambda decision: decision.key >= 9)
    assert [one.key for one in played.kept] == [6]
    assert [(one.key, one.reason) for one in played.fired] == [
        (9, "2 of 2 fired, 2 needed: five at key 9: 5 rows since key 5; seven at key 6: 7 rows since key 0"),
        (14, "2 of 2 fired, 2 needed: five at key 14: 5 rows since key 10; seven at key 13: 7 rows since key 7"),
    ]
    assert policy.waits_for(20, int(batch.event_time_us[-1]), played.state) == (
        "1 of 2 votes; five: 0 of 5 rows to the next trigger; seven: 6 of 7 rows to the next trigger"
    )


def test_names_are_kept_and_numbered():
    """A list and the names that it would have are written as a list, others by name; defaults are filled in."""
    listed = {"policy": "ensemble", "policies": [TIME, AMOUNT, {**TIME, "cool_down": "2d"}]}
    loaded = BLOCK.deserialize(listed)
    assert list(loaded["options"]["policies"]) == ["time", "data_amount", "time 2"]
    assert as_written(BLOCK, loaded) == {**listed, "combine": "any"}
    named = {"policy": "ensemble", "policies": {"weekly": TIME}, "combine": {"at_least": 1}, "within": 500}
    assert as_written(BLOCK, BLOCK.deserialize(named)) == named


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"policies": [TIME, {"policy": "tiem"}]},
            {"policies": {1: {"policy": ["'tiem' is unknown; did you mean time?"]}}},
        ),
        ({"policies": {"a b": TIME}}, {"policies": {"a b": ["'a b' cannot name"]}}),
        ({"policies": []}, {"policies": ["[] names no policies; write such as [{policy: time"]}),
        (
            {"policies": {"a": {**TIME, "max_wait": "1d"}}},
            {"policies": {"a": {"max_wait": ["is about each trigger; write it in the outermost group."]}}},
        ),
        (
            {"policies": [TIME], "combine": {"at_least": 2}},
            {"combine": ["combine asks for at least 2, but there is 1; set it to 1"]},
        ),
        (
            {"policies": {"a": {**TIME, "evaluate": 1}}},
            {"policies": {"a": {"evaluate": ["is not a key here; known: anchor, cool_down, every, warm_up."]}}},
        ),
        ({"policies": [TIME], "within": -1}, {"within": ["-1 is not a whole number"]}),
        ({"policies": [TIME], "within": 1.5}, {"within": ["1.5 is neither a number of rows"]}),
    ],
)
def test_mistakes_are_told_at_their_keys(options, told):
    """Also within the policies that vote."""
    with pytest.raises(ValidationError) as refused:
        BLOCK.deserialize({"policy": "ensemble", **options})
    found = refused.value.messages
    while isinstance(told, dict):
        assert found.keys() == told.keys()
        [(key, told)] = told.items()
        found = found[key]
    assert found[0].startswith(told[0])


def test_what_the_pipeline_does_not_allow_its_policies():
    """Their objections are told at their keys, also those of a policy that a guard of theirs names."""
    drop = {"policy": "performance", "every": 10, "decide": {"policy": "drop", "by": 0.05}}
    cost = {"policy": "cost", "every": 10, "per_training_second": 1, "regret": "mistakes"}
    block = BLOCK.deserialize(
        {"policy": "ensemble", "policies": [TIME, {"policy": "ensemble", "policies": {"a": drop, "b": cost}}]}
    )
    pipeline = {"data": {"split": {"test": 0.0, "validation": 0.0}}}
    assert [key for key, _ in objections_of(block, pipeline)] == [
        "policies.ensemble.policies.a.decide.policy", "policies.ensemble.policies.b.expected",
    ]  # fmt: skip
    guarded = {**BLOCK.deserialize(TIME), "guards": {"warm_up": {"looks": 3, "policy": BLOCK.deserialize(drop)}}}
    assert [key for key, _ in objections_of(guarded, pipeline)] == ["warm_up.policy.decide.policy"]
