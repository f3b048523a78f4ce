"""Policy cost weighs what the wait costs against what a training would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from paid_stream import PaidStream

from supervisor.triggers.cost import Cost
from supervisor.triggers.policy import StreamStart, Training, Trigger

SPARSE = [10.0 * row for row in range(400)]  # a row each ten seconds


def cost(first_key=0, start_s=0, **options):
    """The policy that a file names so."""
    options = Cost.Schema().load({"every": 10, "per_training_second": 100, **options})
    return Cost(options, StreamStart(first_key=first_key, event_time_us=round(start_s * 1e6)))


def keys(seen):
    """Where it fired."""
    return [trigger.key for trigger in seen.fired]


def test_regret_is_what_rows_have_waited():
    """It fires at the first look at which the seconds that all new rows have waited reach those of a training."""
    seen = PaidStream(cost(seconds_per_sample=0.5)).run(SPARSE)
    fired, expected = keys(seen), [9]  # without a model, at the first look
    for look in range(19, 400, 10):
        waiting = range(expected[-1] + 1, look + 1)
        if sum(SPARSE[look] - SPARSE[row] for row in waiting) >= 100 * 0.5 * len(waiting):
            expected.append(look)
    assert fired == expected
    assert seen.reasons[:2] == [
        "there is no model yet",
        "regret 1,900 ≥ 1,000 row-seconds, for about 10 s of training on 20 rows",
    ]
    assert seen.near_misses[0] == (19, "regret 450 < 500 row-seconds, for about 5 s of training on 10 rows")


def test_regret_begins_anew_when_a_trigger_fires():
    """It does not fire at each look for ever once regret was large, as the predecessor did; whoever fired."""
    dear = {"seconds_per_sample": 5}  # 101 rows have waited long enough
    assert keys(PaidStream(cost(**dear)).run(SPARSE)) == [9, 119, 229, 339]
    others = PaidStream(cost(**dear), by_hand=range(25, 400, 50)).run(SPARSE)
    assert keys(others) == [9, *range(25, 400, 50)]
    assert others.near_misses


@given(
    steps=st.lists(st.integers(-3, 40) | st.just(10**10), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    first_key=st.integers(0, 1000),
    every=st.integers(1, 9) | st.sampled_from(["5s", "1m"]),
)
def test_batches_do_not_matter(steps, cuts, first_key, every):
    """However rows are cut into batches: the same triggers, near misses and state."""
    times = np.maximum(np.cumsum(steps), 0)
    options = {"every": every, "seconds_per_sample": 0.3, "first_key": first_key, "start_s": times[0]}
    whole = PaidStream(cost(**options)).run(times, first_key=first_key)
    assert PaidStream(cost(**options)).run(times, cuts, first_key) == whole


def test_waits_beyond_what_64_bits_hold_are_exact():
    """Many rows, and many years, in the state as in the sum."""
    years_s = 3600 * 24 * 365 * 400
    seen = PaidStream(cost(every=5_000, seconds_per_sample=1e9)).run([0] * 14_999 + [years_s])
    assert seen.state["regret"]["waited_us"] == 9_999 * years_s * 1_000_000 > 2**64


def test_measured_trainings_are_forecast():
    """In proportion to the first training's rows; once there are two, by the line through what they took."""
    seen = PaidStream(cost(), seconds=lambda rows: 20 + rows, by_hand=[29]).run(SPARSE[:60])
    assert keys(seen) == [9, 29]
    told = [reason.partition("for about ")[2] for _, reason in seen.near_misses]
    before = ["30 s of training on 10 rows", "60 s of training on 20 rows"]
    assert told == [
        *before,
        "30 s of training on 10 rows",
        "40 s of training on 20 rows",
        "50 s of training on 30 rows",
    ]


def test_while_no_training_is_measured_it_waits_for_the_first():
    """Nothing is known of what one takes; if the first tells nothing, as it failed, another one may."""
    running = PaidStream(cost(), seconds=lambda rows: 1.0, late=5).run(SPARSE)
    assert keys(running) == [9]
    assert running.near_misses[0][1].endswith("no training is over yet that tells how long one takes")
    failing = PaidStream(cost()).run(SPARSE[:40])
    assert keys(failing) == [9, 19, 29, 39]


def test_the_row_behind_a_trigger_waits_on():
    """A trigger's last row may be the one before the last that was seen; that one is not taken up."""
    policy = cost(every=100, seconds_per_sample=1)
    seen = PaidStream(policy).run(SPARSE[:11])
    state = policy.fired(Trigger(number=0, key=9, timestamp_us=90_000_000), seen.state)
    assert state["regret"] == {"rows": 1, "waited_us": 0, "at_us": 100_000_000}


def told(mistakes=0.0, rows=100, **more):
    """A detector's answer: of a model of which no mistakes are expected."""
    return {"model": 0, "score": 1 - mistakes / rows, "n": rows, "known": rows, "expected": 1.0, "error": None, **more}


def on_mistakes(*answers, **options):
    """The policy on a stream where the detector says this, look by look; each training takes ten seconds."""
    left = iter(answers)
    policy = cost(**{"regret": "mistakes", "per_training_second": 1, **options})
    stream = PaidStream(policy, seconds=lambda rows: 10.0, answers=lambda question: next(left), by_hand=[2, 6])
    return stream.run(SPARSE[: 10 * len(answers)])


def test_mistakes_beyond_those_expected_are_regret():
    """Those of each look are added, on rows that no look has scored; fewer than expected do not make up for others."""
    undefined = told(known=250, error="row 3") | {"score": None}
    seen = on_mistakes(told(3), told(-50, known=200), undefined, told(7, known=300), told(9))
    assert keys(seen) == [2, 6, 39]
    options = [question.options for question in seen.questions]
    assert [one["current"] for one in options] == [[7, 9], [7, 19], [7, 29], [7, 39], [40, 49]]
    looks = [(6, 0), (9, 100), (19, 200), (29, 250), (39, 0)]
    assert [one["window"] for one in options] == [{"since": {"key": key, "known": known}} for key, known in looks]
    assert [reason.partition(" <")[0] for _, reason in seen.near_misses[:3]] == ["regret 3"] * 3
    assert "mistakes (accuracy is undefined: row 3), for" in seen.near_misses[2][1]
    assert options[0]["trainings"] == [[0, 0, 2], [1, 3, 6]]
    heard = "7 mistakes more: accuracy 0.93 on 100 rows, 1 expected"
    assert seen.reasons == [f"regret 10 ≥ 10 mistakes ({heard}), for about 10 s of training on 33 rows"]


def test_mistakes_may_count_by_how_long_ago_they_were():
    """As the area under their number, which grows evenly between two looks, and stays where no label comes."""
    nothing = told(error="no label is known") | {"score": None, "n": 0}
    options = {"regret": "mistake_latency", "per_training_second": 200}
    seen = on_mistakes(told(0), told(10, known=200), told(10, known=300), told(10), **options)
    assert [reason.partition(" (")[0] for _, reason in seen.near_misses] == [
        "regret 0 < 2,000 mistake-seconds",
        "regret 500 < 2,000 mistake-seconds",
        "regret 500 < 2,000 mistake-seconds",  # since the trigger
    ]
    assert seen.reasons[0].startswith("regret 2,000 ≥ 2,000 mistake-seconds (10 mistakes more: ")
    still = on_mistakes(told(10), nothing | {"known": 100}, **options).near_misses
    assert still[-1][1].startswith("regret 1,150 < 2,000 mistake-seconds (no label has come to be known)")


def test_the_share_that_is_expected_can_be_given():
    """Then no held-out row is needed."""
    seen = on_mistakes(told(19, expected=None), told(20, expected=None), expected=0.9)
    assert keys(seen) == [2, 6, 19]
    assert seen.questions[0].options["trainings"] == []


def test_what_is_not_known_is_said():
    """A look without a score, or without one to compare with, is no reason to retrain; a look without a model is."""
    undefined = told(error="no label is known", known=0) | {"score": None, "n": 0}
    seen = on_mistakes(undefined, told(50, expected=None), told() | {"model": None, "score": None})
    assert [reason for _, reason in seen.near_misses] == [
        "accuracy is undefined: no label is known",
        "accuracy 0.5 on 100 rows, but no held-out row says what is expected",
    ]
    assert (keys(seen), seen.reasons) == ([2, 6, 29], ["there is no model yet"])


def test_a_model_that_is_about_to_be_replaced_is_not_asked_about():
    """Where trainings run beside the stream, looks wait for the newest model."""
    running = PaidStream(cost(regret="mistakes", seconds_per_sample=1), late=1).run(SPARSE[:40])
    assert (running.questions, keys(running)) == ([], [9])
    assert running.near_misses[0] == (19, "the model of the last trigger is being trained")


def test_a_look_that_waited_for_a_training_is_not_lost():
    """When the training is over and no row comes, it is made up for, once."""
    policy = cost()
    state = PaidStream(policy, seconds=lambda rows: 1.0, late=1).run(SPARSE[:35]).state
    assert policy.quiet(0, 34, 340_000_000, state).decision is None
    state = policy.trained(Training(trigger=0, samples=10, train_s=1.0), state)
    observed = policy.quiet(0, 34, 340_000_000, state)
    assert observed.decision.key == 34
    assert observed.decision.reason == "regret 3,000 ≥ 250 row-seconds, for about 2.5 s of training on 25 rows"
    assert policy.quiet(0, 34, 340_000_000, observed.state).decision is None


@pytest.mark.parametrize(
    ("options", "at", "sentence"),
    [
        ({"expected": 0.9}, "expected", "is of mistakes, and regret is latency; remove it."),
        ({"regret": "mistakes", "expected": 90}, "expected", "90 is no accuracy; write a share, such as 0.9."),
        ({"every": 1.5}, "every", "1.5 is neither a number of rows"),
        ({"regret": "wrong"}, "regret", "'wrong' is unknown"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, at, sentence):
    """Each with a sentence."""
    with pytest.raises(ValidationError) as caught:
        cost(**options)
    assert sentence in str(caught.value.messages[at][0])
