"""Strategies that remember nothing choose exactly what their options say, however the rows are read."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from tests.unit.strategies.asked import asked, chosen, named

DAY_US = 86_400_000_000
SOME = settings(max_examples=60, deadline=None)
CUTS = st.lists(st.integers(0, 200), max_size=4)
STEPS = st.lists(st.integers(0, 3), min_size=1, max_size=120)  # days from one row to the next
AGES = st.lists(st.integers(0, 5), min_size=1, max_size=120)
LABELS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=120)
LIMITS = st.integers(1, 130)


def at(steps):
    """Event times, µs, after so many days each."""
    return (np.cumsum(steps) * DAY_US).tolist()


@SOME
@given(steps=STEPS, rows=LIMITS, days=st.integers(1, 40), limit=st.none() | LIMITS, cuts=CUTS)
def test_a_sliding_window_is_the_end_of_what_is_known(steps, rows, days, limit, cuts):
    """The newest `rows`, or those less than `last` older than the newest; `limit` of them, drawn at random."""
    times, n = at(steps), len(steps)
    request = asked([0] * n, times=times, cuts=cuts)
    for size, expected in (
        ({"rows": rows}, list(range(max(0, n - rows), n))),
        ({"last": f"{days}d"}, [row for row in range(n) if times[row] > times[-1] - days * DAY_US]),
    ):
        keys, weights = chosen(named("sliding_window", **size), request)
        assert (keys, set(weights)) == (expected, {1.0})
        fewer, _ = chosen(named("sliding_window", **size, limit=limit), request)
        assert set(fewer) <= set(expected)
        assert len(fewer) == min(len(expected), limit or n)


@SOME
@given(n=st.integers(0, 120), limit=LIMITS, cuts=CUTS)
def test_latest_are_the_newest(n, limit, cuts):
    """Whenever they came."""
    assert chosen(named("latest", limit=limit), asked([9] * n, cuts=cuts))[0] == list(range(max(0, n - limit), n))


@SOME
@given(ages=AGES, fraction=st.none() | st.floats(0.01, 1), limit=st.none() | LIMITS, tail=st.integers(0, 3), cuts=CUTS)
def test_uniform_takes_exactly_its_share(ages, fraction, limit, tail, cuts):
    """Of what is new, or of all; one row at least, and no more than the limit."""
    if fraction is None and limit is None:
        fraction = 1.0
    sizes = {key: one for key, one in (("fraction", fraction), ("limit", limit)) if one is not None}
    for options, there in (
        ({"tail": tail}, [row for row, age in enumerate(ages) if age <= tail]),
        ({"of": "all"}, list(range(len(ages)))),
    ):
        keys, weights = chosen(named("uniform", **sizes, **options), asked(ages, cuts=cuts))
        share = len(there) if fraction is None else max(round(fraction * len(there)), min(len(there), 1))
        assert len(keys) == min(share, limit or share)
        assert set(keys) <= set(there)
        assert set(weights) <= {1.0}


@pytest.mark.parametrize(
    "options", [{"name": "uniform", "fraction": 0.5}, {"name": "balanced", "by": "label", "limit": 50}]
)
def test_draws_follow_from_seed_and_trigger_alone(options):
    """Another seed or another trigger gives other rows; the strategy's own seed counts if it has one."""
    of = lambda options, **request: chosen(named(**options), asked([0] * 100, labels=["a"] * 100, **request))[0]  # noqa: E731
    drawn = of(options)
    assert drawn == of(options, cuts=[3, 50])
    assert len({tuple(one) for one in (drawn, of(options, seed=1), of(options, trigger_key=500))}) == 3
    own = {**options, "seed": 1}
    assert of(own) == of(own, seed=2) == of(options, seed=1)


@SOME
@given(steps=STEPS, half_life=st.sampled_from(["1h", "12h", "3d", "30d"]), limit=st.none() | LIMITS, cuts=CUTS)
def test_recency_halves_weights(steps, half_life, limit, cuts):
    """Every half-life of event time; their mean is 1. What weighs nothing is left out, as is what is over the limit."""
    times, n = np.array(at(steps)), len(steps)
    options = {"half_life": half_life} | ({} if limit is None else {"limit": limit})
    keys, weights = chosen(named("recency", **options), asked([0] * n, times=times, cuts=cuts))
    half_us = {"1h": DAY_US / 24, "12h": DAY_US / 2, "3d": 3 * DAY_US, "30d": 30 * DAY_US}[half_life]
    halvings = (times[-1] - times) / half_us
    kept = [row for row in range(max(0, n - (limit or n)), n) if halvings[row] <= 100]
    expected = 0.5 ** halvings[kept]
    assert keys == kept
    assert weights == pytest.approx(expected / expected.mean(), rel=1e-6)
    assert np.mean(weights) == pytest.approx(1, rel=1e-5)


@SOME
@given(labels=LABELS, limit=st.none() | LIMITS, cuts=CUTS)
def test_labels_are_balanced(labels, limit, cuts):
    """Within one row, as far as a label has so many: all up to a level, or as many as the rarest has."""
    request = asked([0] * len(labels), labels=labels, cuts=cuts)
    options = {} if limit is None else {"limit": limit}
    keys, _ = chosen(named("balanced", by="label", of="all", **options), request)
    assert (
        keys == chosen(named("balanced", by="label", of="all", **options), asked([0] * len(labels), labels=labels))[0]
    )
    there, taken = Counter(labels), Counter(labels[key] for key in keys)
    if limit is None:
        assert taken == dict.fromkeys(there, min(there.values()))
    else:
        assert len(keys) == min(limit, len(labels))
        assert all(taken[one] >= max(taken.values()) - 1 or taken[one] == there[one] for one in there)


@SOME
@given(ages=AGES, limit=LIMITS, tail=st.integers(1, 6), cuts=CUTS)
def test_triggers_are_balanced(ages, limit, tail, cuts):
    """This one and those of `tail`, by when their rows were new."""
    keys, _ = chosen(named("balanced", by="trigger", tail=tail, limit=limit), asked(ages, cuts=cuts))
    there = Counter(age for age in ages if age <= tail)
    taken = Counter(ages[key] for key in keys)
    assert len(keys) == min(limit, there.total())
    assert set(taken) <= set(there)
    assert all(taken[one] >= max(taken.values()) - 1 or taken[one] == there[one] for one in there)


def test_balancing_is_even_within_a_group_and_fair_between_equal_ones():
    """Ten labels of a hundred rows give 55 rows each; each row of a label is as likely, over triggers."""
    labels, taken = [str(row % 10) for row in range(1_000)], np.zeros(1_000)
    for trigger_key in range(60):
        request = asked([0] * 1_000, labels=labels, trigger_key=trigger_key, cuts=[300])
        keys, _ = chosen(named("balanced", by="label", limit=550), request)
        assert Counter(labels[key] for key in keys) == {str(label): 55 for label in range(10)}
        taken[keys] += 1
    variance = 60 * 0.55 * 0.45
    assert abs(((taken - 33) ** 2).mean() / variance - 1) < 0.25


@SOME
@given(ages=AGES, limit=LIMITS, tail=st.integers(0, 3))
def test_a_limit_draws_of_new_and_of_all_rows(ages, limit, tail):
    """Strategies that take all they see take so many at random; without a limit all."""
    new = {row for row, age in enumerate(ages) if age <= tail}
    for name, options, there in (("new_data", {"tail": tail}, new), ("all_data", {}, set(range(len(ages))))):
        assert set(chosen(named(name, **options), asked(ages))[0]) == there
        keys, _ = chosen(named(name, **options, limit=limit), asked(ages))
        assert set(keys) <= there
        assert len(keys) == min(limit, len(there))


@pytest.mark.parametrize(
    ("name", "options", "key", "sentence"),
    [
        ("sliding_window", {}, "rows", "is missing, and so is last"),
        ("sliding_window", {"rows": 5, "last": "3d"}, "rows", "stands beside last"),
        ("latest", {}, "limit", "is missing"),
        ("uniform", {}, "fraction", "is missing, and so is limit"),
        ("uniform", {"fraction": 1.5}, "fraction", "1.5 is more than all"),
        ("uniform", {"limit": 5, "of": "all", "tail": 2}, "tail", "has no meaning with `of: all`"),
        ("recency", {}, "half_life", "is missing"),
        ("balanced", {}, "by", "is missing"),
        ("balanced", {"by": "trigger"}, "tail", "is 0, and one trigger alone"),
        ("balanced", {"by": "trigger", "of": "all"}, "of", "cannot be balanced by trigger"),
    ],
)
def test_what_has_no_meaning_is_refused(name, options, key, sentence):
    """At its key, with what to write instead."""
    with pytest.raises(ValidationError) as caught:
        named(name, **options)
    assert sentence in caught.value.messages[key][0]


def test_labels_that_are_no_classes_are_not_balanced():
    """Each row has its own: a sentence, before memory is full."""
    labels = [str(row) for row in range(70_000)]
    with pytest.raises(ValueError, match="more than 65,536 labels"):
        chosen(named("balanced", by="label"), asked([0] * 70_000, labels=labels))
