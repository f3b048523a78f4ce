"""`decide:` becomes the rule that it says; what does not fit is refused where it stands."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from supervisor.triggers.rules.made import asks_p_value, rule_of
from supervisor.triggers.rules.rule import amount, number
from supervisor.triggers.rules.written import Decide

FIELD = f.Sub(Decide, "when a value fires")


def fired(decide, values, **options):
    """Which of the values fire."""
    rule = rule_of(FIELD.deserialize(decide), **options)
    return [rule.fires(*(value if isinstance(value, tuple) else (value,))) for value in values]


def refusal(decide):
    """key → sentence."""
    with pytest.raises(ValidationError) as told:
        FIELD.deserialize(decide)
    return told.value.messages


@pytest.mark.parametrize(
    ("decide", "values", "fires"),
    [
        ({"policy": "threshold", "threshold": 0.05}, [0.04, 0.05], [False, True]),
        ({"policy": "threshold", "threshold": 1, "direction": "below"}, [2.0, 1.0], [False, True]),
        ({"policy": "p_value", "alpha": 0.1}, [(1.0, 0.2), (1.0, 0.1)], [False, True]),
        ({"policy": "quantile", "q": 0.5, "window": 1}, [1.0, 2.0, 1.0], [False, True, False]),
        ({"policy": "rolling_average", "deviation": 1, "window": 1}, [1.0, 1.9, 2.9], [False, False, True]),
        (
            {"policy": "rolling_average", "deviation": 0.5, "window": 1, "relative": True},
            [10.0, 14.9, 22.4],
            [False, False, True],
        ),
    ],
)
def test_each_rule_is_made_with_its_options(decide, values, fires):
    """As the file says, and the same after it was written down resolved."""
    assert fired(decide, values) == fires
    assert fired(as_written(FIELD, FIELD.deserialize(decide)), values) == fires


def test_what_surrounds_a_rule():
    """Hysteresis, cool-down and warm-up do what they say, together too."""
    base = {"policy": "threshold", "threshold": 0.05}
    wavering = [0.06, 0.04, 0.06, 0.02, 0.06]
    assert fired(base | {"release": 0.03}, wavering) == [True, False, False, False, True]
    assert fired(base | {"cool_down": 1}, [1, 1, 1]) == [True, False, True]
    assert fired(base | {"warm_up": 2}, [1, 1, 1]) == [False, False, True]
    meanwhile = {"values": 2, "decide": {"policy": "threshold", "threshold": 2}}
    assert fired(base | {"warm_up": meanwhile}, [1, 2, 1]) == [False, True, True]


def test_what_was_kept_from_firing_does_not_count_as_fired():
    """A value that is high from the start fires behind the warm-up, with hysteresis and cool-down around it."""
    decide = {"policy": "threshold", "threshold": 0.05, "release": 0.03, "cool_down": 5, "warm_up": 2}
    assert fired(decide, [1, 1, 1, 1]) == [False, False, True, False]
    assert as_written(FIELD, FIELD.deserialize(decide)) == decide


def test_the_direction_is_the_callers_where_none_is_written():
    """Accuracy asks for a retraining when it is small; `release` is then above the threshold."""
    decide = {"policy": "threshold", "threshold": 0.6, "release": 0.7}
    assert fired(decide, [0.65, 0.6, 0.5, 0.71, 0.5], direction="below") == [False, True, False, False, True]
    assert fired({"policy": "threshold", "threshold": 0.6, "direction": "above"}, [0.7], direction="below") == [True]


@pytest.mark.parametrize(
    ("decide", "key", "sentence"),
    [
        ({}, "policy", "missing"),
        ({"policy": "treshold"}, "policy", "did you mean threshold"),
        ({"policy": "threshold"}, "threshold", "is missing; policy threshold needs it"),
        ({"policy": "threshold", "threshold": 1, "q": 0.1}, "q", "goes with policy quantile, not with threshold"),
        ({"policy": "p_value", "direction": "below"}, "direction", "not with p_value, which has alpha; remove it"),
        ({"policy": "p_value", "alpha": 5}, "alpha", "between 0 and 1"),
        ({"policy": "quantile", "q": 0.05, "window": 18}, "window", "set window to 19 or more"),
        ({"policy": "quantile", "release": 0.01}, "release", "above q, 0.05, and below 1"),
        ({"policy": "threshold", "threshold": 0.05, "direction": "above", "release": 0.06}, "release", "below the th"),
        ({"policy": "threshold", "threshold": 0.05, "direction": "below", "release": 0.04}, "release", "above the th"),
        ({"policy": "rolling_average", "deviation": 0.1, "release": 0.2}, "release", "below deviation"),
        ({"policy": "p_value", "warm_up": {"values": 2, "decide": {"policy": "p"}}}, "warm_up", "unknown"),
        ({"policy": "p_value", "cooldown": 2}, "cooldown", "did you mean cool_down"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_key(decide, key, sentence):
    """By name, with the remedy."""
    told = refusal(decide)
    assert list(told) == [key]
    assert sentence in str(told[key])


def test_the_shortest_window_is_a_quantiles_default():
    """1/q − 1, at which its rate is exact."""
    assert [FIELD.deserialize({"policy": "quantile", "q": q})["window"] for q in (0.05, 0.01, 0.3)] == [19, 99, 3]


def test_a_rule_says_whether_it_needs_a_p_value():
    """Its warm-up's rule, too."""
    meanwhile = {"values": 2, "decide": {"policy": "p_value"}}
    given = [{"policy": "p_value"}, {"policy": "quantile"}, {"policy": "quantile", "warm_up": meanwhile}]
    assert [asks_p_value(FIELD.deserialize(one)) for one in given] == [True, False, True]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (0.6824615384615385, 0.6821, "0.6825"),
        (0.6821, 0.6824615384615385, "0.6821"),
        (0.05, 0.05, "0.05"),
        (0.30000000000000004, 0.3, "0.30000000000000004"),
        (0.12345, 0.9, "0.123"),
    ],
)
def test_numbers_have_as_many_digits_as_tell_them_apart(one, other, told):
    """Not all of them."""
    assert number(one, other) == told


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [(1_213_400.31, 1_000_000.0, "1,213,400"), (1_213_400.31, 1_213_400.1, "1,213,400.3"), (999.96, 1e6, "1,000")],
)
def test_large_numbers_are_whole_where_that_tells_them_apart(one, other, told):
    """With commas, and never as 1e+03."""
    assert amount(one, other) == told
