"""Strategies that ask the current model for a coreset: what they ask, and what they do without a model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.strategies.build import strategy_of
from tests.unit.strategies.asked import asked, chosen, named

NAMES = {
    "k_center": "embedding",
    "facility_location": "embedding",
    "craig": "gradient",
    "grad_match": "gradient",
    "graph_cut": "embedding",
    "log_determinant": "embedding",
}
SOME = settings(max_examples=30, deadline=None)
AGES = st.lists(st.integers(0, 5), min_size=1, max_size=80)
LIMITS = st.integers(1, 100)


class Model:
    """Takes the first rows, and remembers what it was asked."""

    def __init__(self, weights=None):
        self.weights, self.asked = weights, None

    def coreset(self, name, keys, k, options):
        """The first k."""
        self.asked = name, keys.tolist(), k, dict(options)
        return keys[:k], None if self.weights is None else np.full(k, self.weights, np.float32)


def selected(strategy, request, model):
    """Keys and weights."""
    pieces, state = strategy_of(strategy).select(request, None, model)
    found = list(pieces)
    assert state is None
    return [key for keys, _ in found for key in keys.tolist()], [one for _, some in found for one in some.tolist()]


@SOME
@given(ages=AGES, fraction=st.floats(0.01, 1), limit=st.none() | LIMITS, tail=st.integers(0, 3))
@pytest.mark.parametrize("name", NAMES)
def test_the_model_chooses_so_many_of_the_rows_that_are_asked_for(name, ages, fraction, limit, tail):
    """New ones, those of the tail, or all; of their share or limit, whichever is smaller."""
    sizes = {"fraction": fraction} | ({} if limit is None else {"limit": limit})
    for options, there in (
        ({"tail": tail}, [row for row, age in enumerate(ages) if age <= tail]),
        ({"of": "all"}, list(range(len(ages)))),
    ):
        model = Model()
        keys, weights = selected(named(name, **sizes, **options), asked(ages, cuts=[3, 40]), model)
        if not there:
            assert (keys, weights, model.asked) == ([], [], None)
            continue
        called, given_keys, k, given_options = model.asked
        assert (called, given_keys) == (name, there)
        assert k == min(max(round(fraction * len(there)), 1), limit or len(there))
        assert given_options["space"] == NAMES[name]
        assert (keys, weights) == (there[:k], [1.0] * k)


def test_weights_are_the_models():
    assert selected(named("craig", limit=2), asked([0] * 9), Model(weights=0.5)) == ([0, 1], [0.5, 0.5])


def test_options_reach_the_model():
    """And the seed of the trigger, or that of the strategy's own."""
    model = Model()
    for name, options in (
        ("graph_cut", {"trade_off": 0.3, "space": "input", "per_class": True}),
        ("grad_match", {"regularisation": 0.5, "space": "embedding", "per_class": False}),
    ):
        selected(named(name, limit=2, **options), asked([0] * 9), model)
        assert model.asked[3].items() >= options.items()
    seeds = []
    for options, request in (({}, {}), ({}, {"seed": 1}), ({}, {"trigger_key": 90}), ({"seed": 1}, {"seed": 5})):
        selected(named("craig", limit=2, **options), asked([0] * 9, **request), model)
        seeds.append(model.asked[3]["seed"])
    assert len(set(seeds)) == 3
    assert seeds[1] == seeds[3]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_model_rows_are_drawn_at_random(name):
    """As many, each as likely as any other: those of `uniform`, with weights of 1."""
    for options in ({"fraction": 0.3}, {"limit": 7}, {"limit": 90, "of": "all"}):
        request = asked([0] * 40 + [1] * 20, cuts=[11])
        assert chosen(named(name, **options), request) == chosen(named("uniform", **options), request)
    plan = strategy_of(named(name, limit=7, tail=2))
    assert (plan.reads_model, plan.selects_at_most, plan.selects_all, plan.earlier_triggers) == (True, 7, False, 3)


@pytest.mark.parametrize(
    ("name", "options", "key", "sentence"),
    [
        ("craig", {}, "fraction", "is missing, and so is limit"),
        ("craig", {"limit": 5, "trade_off": 1}, "trade_off", "is not a key here"),
        ("craig", {"limit": 5, "regularisation": 1}, "regularisation", "is not a key here"),
        ("grad_match", {"limit": 5, "regularisation": -1}, "regularisation", "is not a number of at least 0"),
        ("graph_cut", {"limit": 5, "trade_off": "much"}, "trade_off", "is not a number"),
        ("k_center", {"limit": 5, "space": "gradients"}, "space", "gradient"),
        ("log_determinant", {"limit": 5, "per_class": "auto"}, "per_class", "neither true nor false"),
    ],
)
def test_what_has_no_meaning_is_refused(name, options, key, sentence):
    """At its key, with what to write instead."""
    with pytest.raises(ValidationError) as caught:
        named(name, **options)
    assert sentence in caught.value.messages[key][0]
