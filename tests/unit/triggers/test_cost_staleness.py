"""Policies cost_threshold and cost_cumulative: what errors of the current model cost, and when that is too much."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from paid_stream import PaidStream
from streams import SECOND_US, play, rows

from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart, Training, Trigger

BLOCK = TriggerBlock("")
PRICE = {"training": 5, "error": 0.5}
START = StreamStart(first_key=0, event_time_us=0)
TIMES_S = [float(row) for row in range(60)]


def policy(kind, start=START, **options):
    """The policy that a file names so, looking every ten rows."""
    return policy_of(BLOCK.deserialize({"policy": kind, "every": 10, "price": PRICE, **options}), start)


def told(errors, n=10, **changes):
    """A detector's answer."""
    answer = {"metric": "accuracy", "greater_is_better": True, "model": 0, "score": 1 - errors / n, "n": n}
    return {**answer, "unlabelled": 0, "known": n, "error": None, "expected": None, "expected_n": 0, **changes}


def played(kind, answers, by_hand=(), **options):
    """A stream on which the detector says this, look by look; the first look has no model."""
    left = iter(answers)
    stream = PaidStream(policy(kind, **options), answers=lambda question: next(left), by_hand=by_hand)
    return stream.run(TIMES_S[: 10 + 10 * len(answers)])


def test_errors_of_one_look_reach_the_threshold():
    """By default what a training costs; each look stands for itself, and says what its errors cost."""
    seen = played("cost_threshold", [told(4), told(9), told(10), told(1)])
    assert [one.key for one in seen.fired] == [9, 39]
    assert seen.reasons == ["there is no model yet", "errors cost 5 ≥ 5: 10 errors on 10 rows"]
    assert seen.near_misses == [
        (19, "errors cost 2 < 5: 4 errors on 10 rows"),
        (29, "errors cost 4.5 < 5: 9 errors on 10 rows"),
        (49, "errors cost 0.5 < 5: 1 error on 10 rows"),
    ]


def test_errors_since_the_newest_trigger_add_up():
    """To a threshold of one's own; a trigger, whoever fired it, sets the sum to nothing."""
    seen = played("cost_cumulative", [told(4), told(4), told(4), told(5)], by_hand=[24], threshold=3.5)
    assert [one.key for one in seen.fired] == [9, 24, 39]
    assert seen.reasons[-1] == "errors since the newest trigger cost (2 now) 4 ≥ 3.5: 4 errors on 10 rows"
    assert [reason.partition(" ≥")[0].partition(" <")[0] for _, reason in seen.near_misses] == [
        "errors since the newest trigger cost (2 now) 2",
        "errors since the newest trigger cost (2 now) 2",
        "errors since the newest trigger cost (2.5 now) 2.5",
    ]


def test_errors_beyond_those_expected():
    """A look that is better than expected takes off what others have added, and the sum does not fall below nothing."""
    hoped = {"expected": 0.8, "expected_n": 50}
    answers = [told(0, **hoped), told(6, **hoped), told(1, **hoped), told(9, **hoped)]
    seen = played("cost_cumulative", answers, over="expected")
    assert [one.key for one in seen.fired] == [9, 49]
    sums = [float(reason.split(" now) ")[1].split(" ")[0]) for _, reason in seen.near_misses]
    assert sums == [0, 2, 1.5]
    assert seen.reasons[-1].endswith("5 ≥ 5: 9 errors on 10 rows, 2 expected of them")


def test_where_nothing_is_expected_all_errors_count():
    """Of a first model of a few rows, none of them held out: it does not stay for ever."""
    seen = played("cost_cumulative", [told(9), told(9)], over="expected")
    unsaid = "9 errors on 10 rows, and no held-out row says how many are expected"
    assert seen.near_misses[0] == (19, f"errors since the newest trigger cost (4.5 now) 4.5 < 5: {unsaid}")
    assert [one.key for one in seen.fired] == [9, 29]


def test_each_row_counts_once():
    """At the first look at which its label is known; one at which none has come to be known says so."""
    nothing = told(0, known=0) | {"score": None, "error": "no label is known"}
    undefined = told(0, known=7) | {"score": None, "error": "row 3 is bad"}
    seen = played("cost_cumulative", [nothing, told(1, known=5), undefined, told(1, known=12)])
    looked = [one.options["window"]["since"] for one in seen.questions]
    assert [(one["key"], one["known"]) for one in looked] == [(9, 0), (9, 0), (29, 5), (39, 7)]
    assert [reason for _, reason in seen.near_misses][::2] == [
        "no label has come to be known",
        "accuracy is undefined: row 3 is bad",
    ]
    assert all(one.options["trainings"] == [] and one.needs_model for one in seen.questions)


def test_what_is_an_error_the_metric_says():
    """A unit of its distance from its best, on one row."""
    price = {**PRICE, "metric": {"name": "log_loss"}}
    seen = played("cost_threshold", [told(0) | {"score": 0.9}, told(0) | {"score": 1.1}], price=price)
    assert [one.key for one in seen.fired] == [9, 29]
    assert seen.questions[0].options["metric"] == {"name": "log_loss", "label": "log_loss", "options": {}}


def test_nothing_fires_while_a_model_is_made():
    """Nor is anything asked; where it made none, the next look fires at which there is something to train on."""
    first = policy("cost_threshold")
    seen = PaidStream(first, late=9).run(TIMES_S[:30])
    assert [one.key for one in seen.fired] == [9]
    assert seen.near_misses == [(key, "the model of trigger 0 is being trained") for key in (19, 29)]
    state = first.trained(Training(trigger=0, samples=0, train_s=None), seen.state)
    observed = first.observe(rows(np.arange(10) * SECOND_US, 30), state)
    nothing, question = told(0, model=None) | {"score": None}, observed.question
    observed = first.answer(question, nothing | {"known": 0}, observed.state)
    assert observed.decision is None
    lacking = "there is no model yet: trigger 0 made none, and no label of a row behind it is known"
    assert observed.near_misses[0].reason == lacking
    observed = first.answer(question, nothing | {"known": 1}, observed.state)
    assert observed.decision.reason == "there is no model yet: trigger 0 made none"


def test_an_answer_that_a_trigger_has_overtaken_decides_nothing():
    """It is of rows that the trigger by hand has taken."""
    one = policy("cost_threshold", StreamStart(first_key=0, event_time_us=0, trained_key=9))
    asked = one.observe(
        rows(np.arange(20) * SECOND_US, 10), one.trained(Training(trigger=0, samples=5, train_s=1.0), one.begin())
    )
    state = one.fired(Trigger(number=1, key=19, timestamp_us=19 * SECOND_US), asked.state)
    found = one.answer(asked.question, told(10), state)
    assert (found.decision, found.near_misses[0].reason) == (None, "trigger 1 came before the answer")


@given(
    cuts=st.lists(st.integers(0, 60), max_size=8),
    late=st.integers(0, 2),
    kind=st.sampled_from(["threshold", "cumulative"]),
)
def test_batches_do_not_matter(cuts, late, kind):
    """However rows are cut into batches: the same triggers, near misses and state."""

    def run(cuts):
        policy_now = policy(f"cost_{kind}", every=4)
        return PaidStream(policy_now, late=late, answers=lambda one: told(one.key % 9)).run(TIMES_S, cuts)

    assert run(cuts) == run([])


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"price": None}, {"price": "is empty; give a value or remove the key."}),
        ({"price": {"training": 5}}, {"price": {"error": "is missing; add it."}}),
        ({"price": {**PRICE, "error": 0}}, {"price": {"error": "0 is not a number above zero."}}),
        ({"threshold": 0}, {"threshold": "0 is not a number above zero."}),
        ({"over": "all"}, {"over": "'all' is unknown; known: expected, zero."}),
    ],
)
def test_what_is_wrong_is_told_at_its_key(written, told):
    """Of the price, too."""
    with pytest.raises(ValidationError) as refused:
        policy("cost_threshold", **written)
    found = refused.value.messages
    while isinstance(told, dict):
        [(key, told)] = told.items()
        found = found[key]
    assert found[0] == told


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 60), max_size=6), st.integers(0, 5))
def test_a_period_begins_after_its_offset(every, offset, cuts, first_key):
    """At rows offset, offset + every, …, counted from the first followed one; likewise in event time."""
    offset = min(every, offset)
    start = StreamStart(first_key=first_key, event_time_us=7 * SECOND_US)
    batch = rows((7 + np.arange(60)) * SECOND_US, first_key)
    by_rows = policy_of(BLOCK.deserialize({"policy": "cost_periodic", "every": every, "offset": offset}), start)
    expected = list(range(first_key + offset - 1, first_key + 60, every))
    assert [one.key for one in play(by_rows, batch, cuts).fired] == expected
    by_time = {"policy": "cost_periodic", "every": f"{every}s", "offset": f"{offset}s"}
    expected = list(range(first_key + offset, first_key + 60, every))  # the row at which it is over
    assert [one.key for one in play(policy_of(BLOCK.deserialize(by_time), start), batch, cuts).fired] == expected


def test_a_period_says_what_it_waits_for():
    """And each trigger that one is over; without an offset the first comes after a period."""
    plain = policy_of(BLOCK.deserialize({"policy": "cost_periodic", "every": 20}), START)
    seen = play(plain, rows(np.arange(50) * SECOND_US))
    assert [(one.key, one.reason) for one in seen.fired] == [
        (19, "a period of 20 rows is over, after 20 rows"),
        (39, "a period of 20 rows is over, after 40 rows"),
    ]
    assert plain.waits_for(50, 49 * SECOND_US, seen.state) == "10 of 20 rows to the next trigger"


@pytest.mark.parametrize(
    ("offset", "told"),
    [("1d", "counts in another unit than every"), (21, "is longer than every; take off whole periods.")],
)
def test_offsets_that_are_none_are_refused(offset, told):
    """At their key."""
    with pytest.raises(ValidationError) as refused:
        BLOCK.deserialize({"policy": "cost_periodic", "every": 20, "offset": offset})
    assert refused.value.messages["offset"][0].startswith(told)


def test_policies_read_their_price_from_the_block():
    """Also where it went through a message."""
    loaded = BLOCK.deserialize({"policy": "cost_threshold", "every": 10, "price": PRICE})
    assert msgspec.json.decode(msgspec.json.encode(loaded)) == loaded
