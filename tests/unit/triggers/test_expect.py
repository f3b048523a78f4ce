"""The guard `expect` has rows looked at before a decision passes, and remembers which were sound."""

from __future__ import annotations

import json

import numpy as np
import pytest
from marshmallow import ValidationError

from supervisor.triggers.guards.expect import Expect
from supervisor.triggers.policy import (
    Batch,
    Decision,
    Observation,
    Question,
    StreamStart,
    Trigger,
    TriggerPolicy,
    Violation,
)

GOOD = {"rows": 10, "violations": [], "more": 0}
BAD = {"rows": 10, "violations": [{"check": "nulls", "column": "a", "sentence": "`a` is null"}], "more": 2}
OWN = Question(key=9, timestamp_us=9, detector="own", options={})


class EveryTen(TriggerPolicy):
    """Decides on each tenth row; asks first, if it asks; and decides once no row came."""

    asks = False

    def observe(self, batch, state):
        """The next tenth row."""
        key = batch.first_key + 9 - batch.first_key % 10
        if key >= batch.stop_key:
            return Observation(state=state)
        if self.asks:
            return Observation(state=state, question=OWN, seen_key=key)
        decision = Decision(key=key, timestamp_us=batch.time_at(key), reason="ten rows")
        return Observation(state={"decided": key}, decision=decision, seen_key=key)

    def answer(self, question, answer, state):
        """Whatever it is."""
        return Observation(state=state, decision=Decision(key=9, timestamp_us=9, reason=answer["why"]))

    def quiet(self, now_us, key, event_time_us, state):
        """At once."""
        return Observation(state=state, decision=Decision(key=key, timestamp_us=event_time_us, reason="quiet"))


def guard(expect="usual", inner=EveryTen):
    """Around this policy, from key 0 and event time 0 on."""
    start = StreamStart(first_key=0, event_time_us=0)
    return Expect(Expect.option.deserialize(expect), inner({}, start), start)


def rows(first_key, count=10):
    """One a microsecond."""
    times = np.arange(first_key, first_key + count)
    return Batch(first_key=first_key, timestamps_us=times, event_time_us=times, before_us=first_key - 1)


def as_journaled(state):
    """What a resume finds."""
    return json.loads(json.dumps(state))


def trained(one, count, state):
    """So many triggers on ten rows each."""
    for number in range(count):
        told = one.observe(rows(10 * number), state)
        if told.question is not None:
            told = one.answer(told.question, GOOD, told.state)
        state = one.fired(Trigger(number=number, key=told.decision.key, timestamp_us=told.decision.key), told.state)
    return as_journaled(state)


def test_the_first_rows_are_taken_on_trust():
    """Nothing is usual yet; unless numbers are given."""
    one = guard()
    told = one.observe(rows(0), one.begin())
    assert (told.decision.key, told.question) == (9, None)
    assert guard({"rows": {"least": 3}}).observe(rows(0), one.begin()).question.options["usual"] == []


def test_it_asks_about_the_rows_since_the_last_trigger():
    """Beside the last `memory` stretches; at the row at which the decision was made."""
    one = guard({"memory": 2})
    state = trained(one, 4, one.begin())
    question = one.observe(rows(40), state).question
    assert (question.key, question.timestamp_us, question.detector, question.needs_model) == (49, 49, "expect", False)
    assert question.options["rows"] == [40, 49, 39, 49]
    assert question.options["usual"] == [[20, 29, 19, 29], [30, 39, 29, 39]]
    told = one.answer(question, GOOD, one.observe(rows(40), state).state)
    assert (told.decision, told.violation) == (Decision(key=49, timestamp_us=49, reason="ten rows"), None)


@pytest.mark.parametrize("action", ["hold", "skip", "alert"])
def test_what_is_not_as_expected(action):
    """Is trained on and told, or set aside; and what is set aside is never asked about again, nor usual."""
    one = guard({"on_violation": action})
    asked = one.observe(rows(10), trained(one, 1, one.begin()))
    told = one.answer(asked.question, BAD, as_journaled(asked.state))
    why = "`a` is null; and 2 more"
    assert told.violation == Violation(first_key=10, last_key=19, on_violation=action, why=why)
    if action == "alert":
        assert told.decision.key == 19
        return
    done = {"hold": "held", "skip": "skipped"}[action]
    assert (told.decision, told.near_misses[0].reason) == (
        None,
        f"ten rows; {done}, as rows 10 to 19 are not as expected",
    )
    question = one.observe(rows(20), as_journaled(told.state)).question
    assert question.options["rows"] == [20, 29, 19, 29]
    assert question.options["usual"] == [[0, 9, 0, 9]]
    assert one.quiet(0, 19, 19, told.state).decision is None


def test_a_trigger_by_hand_makes_what_was_held_usual():
    """A person has looked at it; also where no other row has come since."""
    one = guard()
    asked = one.observe(rows(10), trained(one, 1, one.begin()))
    held = one.answer(asked.question, BAD, asked.state).state
    state = one.fired(Trigger(number=1, key=19, timestamp_us=19, by_hand=True), as_journaled(held))
    assert one.observe(rows(20), state).question.options["usual"] == [[0, 9, 0, 9], [10, 19, 9, 19]]
    state = one.fired(Trigger(number=1, key=19, timestamp_us=19), as_journaled(held))
    assert one.observe(rows(20), state).question.options["usual"] == [[0, 9, 0, 9]]


def test_a_trigger_by_hand_while_it_waits_for_the_answer():
    """The rows were taken: what the worker says of them comes to nothing."""
    one = guard()
    asked = one.observe(rows(10), trained(one, 1, one.begin()))
    state = one.fired(Trigger(number=1, key=19, timestamp_us=19, by_hand=True), asked.state)
    told = one.answer(asked.question, BAD, state)
    assert (told.decision, told.violation, told.near_misses) == (None, None, ())
    assert one.observe(rows(20), told.state).question.options["rows"] == [20, 29, 19, 29]


def test_questions_of_the_policy_pass_and_its_decisions_do_not():
    """Each answer reaches who has asked."""

    class Asks(EveryTen):
        """First."""

        asks = True

    one = guard({"rows": {"least": 1}}, Asks)
    told = one.observe(rows(0), one.begin())
    assert told.question is OWN
    told = one.answer(OWN, {"why": "drift"}, as_journaled(told.state))
    assert (told.decision, told.question.detector, told.question.key) == (None, "expect", 9)
    told = one.answer(told.question, GOOD, as_journaled(told.state))
    assert told.decision == Decision(key=9, timestamp_us=9, reason="drift")


def test_a_score_needs_a_model():
    """Where there has been a trigger that may have one."""
    one = guard({"score": {"drop": 0.1}, "rows": {"least": 1}})
    assert not one.observe(rows(0), one.begin()).question.needs_model
    assert one.observe(rows(10), trained(one, 1, one.begin())).question.needs_model


@pytest.mark.parametrize(
    ("expect", "path", "told"),
    [
        ("typical", [], "'typical' is no expectation; write `usual`, or a group of keys."),
        ({"null": {}}, ["null"], "is not a key here; did you mean nulls?"),
        (
            {"nulls": {"columns": {"a": 10}}},
            ["nulls", "columns", "a"],
            "10 is not a share; write a number from 0 to 1.",
        ),
        ({"ranges": {"columns": {"a": [5, 0]}}}, ["ranges", "columns", "a"], "leaves nothing between"),
        ({"ranges": {"columns": {"a": [None, None]}}}, ["ranges", "columns", "a"], "bounds nothing"),
        (
            {"rows": {"least": 10, "most": 3}},
            ["rows", "least"],
            "10 is more than most, 3; write the smaller number here.",
        ),
        ({"rows": {"times": 3}}, ["rows", "times"], "3 is not a pair of bounds; write [least, most]."),
        ({"usual": ["row"]}, ["usual", 0], "'row' is unknown; did you mean rows?"),
        ({"on_violation": "drop"}, ["on_violation"], "'drop' is unknown; known: alert, hold, skip."),
        ({"score": {}}, ["score", "drop"], "is missing; add it."),
    ],
)
def test_what_cannot_be_expected_is_refused(expect, path, told):
    """At its key, in a sentence."""
    with pytest.raises(ValidationError) as error:
        Expect.option.deserialize(expect)
    found = error.value.messages
    for key in path:
        found = found[key]
    assert told in found[0]
