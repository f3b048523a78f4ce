"""What is chosen by scores: as often as they say and no more than was asked for, however the rows are read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from shared.strategies.build import strategy_of
from tests.unit.strategies.asked import asked, chosen, named
from tests.unit.strategies.scored import Scores

SOME = settings(max_examples=60, deadline=None)
MEASURES = ("loss", "gradient_norm", "margin", "entropy", "least_confidence")
VALUES = st.lists(st.floats(0, 1e6) | st.integers(0, 2).map(float), min_size=1, max_size=80)
CUTS = st.lists(st.integers(0, 80), max_size=4)
SIZES = st.fixed_dictionaries({}, optional={"fraction": st.floats(0.01, 1), "limit": st.integers(1, 90)}).filter(bool)


def selected(strategy, request, model, state=None):
    """Keys, weights, and the state that is kept."""
    pieces, state = strategy_of(strategy).select(request, state, model)
    pieces = list(pieces)
    keys = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in pieces)])
    weights = np.concatenate([np.empty(0, np.float32), *(weights for _, weights in pieces)])
    assert weights.dtype == np.float32
    assert (np.diff(keys) >= 0).all()
    return keys, weights, state


def size(n, options):
    """So many lines are asked for."""
    share = max(round(options["fraction"] * n), 1) if "fraction" in options else n
    return min(share, options.get("limit", n))


@SOME
@given(values=VALUES, options=SIZES, name=st.sampled_from(MEASURES), uniform=st.none() | st.floats(0.01, 1), cuts=CUTS)
def test_draws_are_so_many_lines_with_usable_weights(values, options, name, uniform, cuts):
    """Never more than the limit; no weight above 1/uniform; the same in any pieces."""
    more = {} if uniform is None else {"uniform": uniform}
    strategy = named(name, how="proportional", **options, **more)
    model = Scores(values)
    keys, weights, state = selected(strategy, asked([0] * len(values), cuts=cuts), model)
    assert (len(keys), state) == (size(len(values), options), None)
    assert set(model.asked) == {(name, None)}
    assert (np.isfinite(weights) & (weights > 0)).all()
    assert (weights <= (1 + 1e-6) / (uniform or 0.1)).all()
    again = selected(strategy, asked([0] * len(values)), Scores(values))
    assert (keys.tolist(), weights.tolist()) == (again[0].tolist(), again[1].tolist())


@SOME
@given(values=VALUES, options=SIZES, name=st.sampled_from(MEASURES), ages=st.lists(st.integers(0, 3)), cuts=CUTS)
def test_the_largest_are_taken_and_of_equal_ones_the_smallest_keys(values, options, name, ages, cuts):
    """Among the rows that are chosen from."""
    ages = [*ages, *[0] * len(values)][: len(values)]
    keys, weights, _ = selected(named(name, how="largest", tail=1, **options), asked(ages, cuts=cuts), Scores(values))
    among = [key for key, age in enumerate(ages) if age < 2]
    ranked = sorted(among, key=lambda key: (-values[key], key))
    assert keys.tolist() == sorted(ranked[: size(len(among), options)] if among else [])
    assert set(weights.tolist()) <= {1.0}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("uniform", [{}, {"uniform": 0.5}])
def test_the_mean_of_what_is_drawn_is_that_of_all(name, uniform):
    """Over 2,000 triggers, within four standard errors: whatever the scores say, and of rows that score 0 too."""
    dice = np.random.default_rng(0)
    values, gradients = dice.exponential(size=50) * (dice.random(50) < 0.8), dice.normal(size=(50, 3))
    strategy, found = named(name, how="proportional", limit=20, **uniform), []
    for key in range(2_000):
        keys, weights, _ = selected(strategy, asked([0] * 50, trigger_key=key), Scores(values))
        found.append((weights[:, None] * gradients[keys]).mean(axis=0))
    errors = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - gradients.mean(axis=0)) <= 4 * errors).all()


def test_a_row_of_score_0_is_drawn_unless_no_draw_is_uniform():
    values = [0.0] * 9 + [1.0]
    keys, _, _ = selected(named("loss", limit=200, of="all", fraction=1, uniform=0), asked([0] * 10), Scores(values))
    assert set(keys.tolist()) == {9}
    found = {key for seed in range(50) for key in selected(
        named("loss", limit=10), asked([0] * 10, seed=seed), Scores(values))[0].tolist()}  # fmt: skip
    assert found == set(range(10))


@pytest.mark.parametrize("name", [*MEASURES, "rho_loss"])
def test_without_a_model_it_is_uniform(name):
    """Up to its size; of as many rows."""
    more = {"holdout": "validation"} if name == "rho_loss" else {}
    for options in ({"fraction": 0.3}, {"limit": 7, "of": "all"}, {"limit": 7, "tail": 2, "seed": 3}):
        request = asked([5, 2, 1] + [0] * 40)
        assert chosen(named(name, **options, **more), request) == chosen(named("uniform", **options), request)


def test_what_is_drawn_differs_from_trigger_to_trigger_and_follows_from_the_seed():
    values, strategy = np.arange(1.0, 101), named("loss", limit=10)
    found = [selected(strategy, asked([0] * 100, trigger_key=key), Scores(values))[0].tolist() for key in (7, 8, 7)]
    assert (found[0] == found[2], found[0] == found[1]) == (True, False)


def test_in_batches_all_rows_are_selected_and_a_rule_says_how_they_are_learned_from():
    """By the model as it is then: the current one is not asked."""
    request = asked([3] + [0] * 9, cuts=[4])
    strategy = named("margin", fraction=0.25, mode="batch_then_sample")
    keys, weights, _ = selected(strategy, request, None)
    assert (keys.tolist(), set(weights.tolist())) == (list(range(1, 10)), {1.0})
    plan = strategy_of(strategy)
    rule = plan.rule(request)
    assert (plan.reads_model, rule.name) == (False, "batch_then_sample")
    assert {name: rule.options[name] for name in ("measure", "share", "how")} == {
        "measure": "margin", "share": 0.25, "how": "largest",
    }  # fmt: skip
    assert rule.options["seed"] != strategy_of(strategy).rule(asked([0] * 5)).options["seed"]
    before = strategy_of(named("margin", fraction=0.25))
    assert (before.reads_model, before.rule(request)) == (True, None)
    assert (plan.rules, before.rules) == (True, False)


def test_a_holdout_model_is_compared_with():
    """Scores may be negative; the largest differences are taken."""
    model = Scores([-1.0, 3.0, -5.0, 0.5, 3.0])
    keys, weights, state = selected(named("rho_loss", limit=3, holdout="/at/model"), asked([0] * 5), model)
    assert (keys.tolist(), weights.tolist(), state) == ([1, 3, 4], [1.0] * 3, None)
    assert (set(model.asked), model.trained) == ({("rho_loss", "/at/model")}, 0)


def test_a_holdout_model_of_validation_rows_is_trained_once():
    """As soon as there is a model and a validation row; until then rows are drawn at random, and nothing is kept."""
    strategy, request = named("rho_loss", limit=2, holdout="validation"), asked([0] * 5)
    assert selected(strategy, request, None)[2] is None
    none, model = Scores(range(5)), Scores(range(5), b"trained")
    keys, _, state = selected(strategy, request, none)
    assert (keys.tolist(), state, none.asked) == (chosen(named("uniform", limit=2), request)[0], None, [])
    for times in range(2):
        keys, _, state = selected(strategy, request, model, state)
        assert (keys.tolist(), state, model.trained) == ([3, 4], {"holdout": b"trained"}, 1), times
    assert set(model.asked) == {("rho_loss", b"trained")}


def test_a_choice_that_weighs_nothing_can_be_balanced_and_be_a_stage_before_others():
    """Drawn rows have weights, and a rule is of the training: neither is balanced."""
    named("margin", fraction=0.5, balance="label")
    named("pipeline", stages=[{"name": "margin", "fraction": 0.5}, {"name": "uniform", "fraction": 0.5}])
    for options in ({"how": "proportional"}, {"mode": "batch_then_sample"}):
        with pytest.raises(ValidationError, match="balance"):
            named("margin", fraction=0.5, balance="label", **options)


def test_no_rows():
    """Nothing is chosen of nothing."""
    for name, options in (("loss", {"fraction": 1}), ("rho_loss", {"limit": 3, "holdout": "x"})):
        assert selected(named(name, **options), asked([1, 1]), Scores([1, 1]))[0].tolist() == []


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("loss", {}, "write one or both"),
        ("loss", {"fraction": 0.5, "how": "smallest"}, "largest"),
        ("loss", {"fraction": 0.5, "uniform": 1.5}, "more than all"),
        ("loss", {"fraction": 0.5, "uniform": 0.2, "how": "largest"}, "no meaning with `how: largest`"),
        ("margin", {"fraction": 0.5, "uniform": 0.2}, "no meaning with `how: largest`"),
        ("loss", {"fraction": 0.5, "uniform": 0.2, "mode": "batch_then_sample"}, "no meaning with `mode: batch"),
        ("loss", {"limit": 5, "mode": "batch_then_sample"}, "write `fraction` instead"),
        ("margin", {"fraction": 1, "mode": "batch_then_sample"}, "1 leaves no row of a batch out"),
        ("margin", {"fraction": 0.5, "mode": "batch_then_sample", "seed": 4}, "where nothing is drawn; remove it"),
        ("rho_loss", {"limit": 5}, "is missing"),
        ("rho_loss", {"limit": 5, "holdout": 3}, "write validation, or the path of a model.safetensors"),
        ("rho_loss", {"limit": 5, "holdout": "x", "how": "proportional"}, "is not a key here"),
        ("rho_loss", {"limit": 5, "holdout": "x", "mode": "batch_then_sample"}, "is not a key here"),
    ],
)
def test_options_that_do_not_fit_are_refused(name, options, told):
    """With a sentence."""
    with pytest.raises(ValidationError, match=told):
        named(name, **options)
