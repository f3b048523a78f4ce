"""What is drawn by scores: as many as asked for, and what their weights are for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from shared.strategies.weighted_draws import largest, with_replacement
from tests.unit.selection.trained import pieces, trained
from tests.unit.training.samples import flights
from workers.selection.importance.scores import scores
from workers.selection.spaces import features

SOME = settings(max_examples=100, deadline=None)
NOT_NEGATIVE = st.floats(0, 1e308) | st.sampled_from([0.0, 1.0, 5e-324])
SCORES = st.lists(NOT_NEGATIVE, min_size=1, max_size=30).map(np.array)


@SOME
@given(values=SCORES, k=st.integers(1, 60), seed=st.integers(0, 2**64))
def test_draws_are_k_lines_with_usable_weights(values, k, seed):
    """Ascending; finite and positive, also as float32; none of a row of score 0, unless all are."""
    places, weights = with_replacement(values, k, seed)
    assert (len(places), places.dtype, weights.shape) == (k, np.int64, (k,))
    assert (np.diff(places) >= 0).all()
    assert np.isfinite(weights.astype(np.float32)).all()
    assert (weights > 0).all()
    assert (values[places] > 0).all() or (values == 0).all()
    again = with_replacement(values, k, seed)
    assert np.array_equal(places, again[0])
    assert np.array_equal(weights, again[1])


@SOME
@given(values=st.lists(st.integers(-3, 3), min_size=1, max_size=30).map(np.array), k=st.integers(1, 40))
def test_the_largest_come_first_and_of_equal_ones_the_smallest_places(values, k):
    places, weights = largest(values, k)
    assert places.tolist() == sorted(np.argsort(-values, kind="stable")[:k].tolist())
    assert weights.tolist() == [1.0] * len(places)


def test_a_row_is_drawn_in_proportion_to_its_score():
    values = np.array([0.0, 1.0, 5.0, 0.0, 2.0, 2.0, 0.0])
    places, weights = with_replacement(values, 10_000, 1)
    counts = np.bincount(places, minlength=7)
    assert counts[values == 0].tolist() == [0, 0, 0]
    assert chisquare(counts[values > 0], values[values > 0] * 1_000).pvalue > 1e-3
    assert weights == pytest.approx(1 / (7 * values[places] / 10))


@SOME
@given(values=SCORES, k=st.integers(1, 60), uniform=st.floats(1e-3, 1), seed=st.integers(0, 2**64))
def test_with_a_share_of_uniform_draws_no_weight_is_large(values, k, uniform, seed):
    """1/share at most, and what is drawn with certainty weighs as much as its chance says."""
    places, weights = with_replacement(values, k, seed, uniform)
    assert (np.isfinite(weights) & (weights > 0)).all()
    assert (weights <= (1 + 1e-9) / uniform).all()
    if uniform == 1:
        assert weights == pytest.approx(np.ones(k))


def test_a_row_of_score_0_is_drawn_among_uniform_ones():
    """As often as its share says."""
    values = np.array([0.0, 3.0, 1.0, 0.0])
    places, weights = with_replacement(values, 10_000, 1, 0.2)
    chances = 0.8 * values / 4 + 0.2 / 4
    assert chisquare(np.bincount(places, minlength=4), chances * 10_000).pvalue > 1e-3
    assert weights == pytest.approx(1 / (4 * chances[places]))


def test_where_all_scores_are_0_all_rows_are_as_likely():
    places, weights = with_replacement(np.zeros(5), 5_000, 1)
    assert chisquare(np.bincount(places, minlength=5)).pvalue > 1e-3
    assert (weights == 1).all()


@pytest.mark.parametrize("name", ["loss", "gradient_norm"])
@pytest.mark.parametrize("uniform", [0.0, 0.1])
def test_the_mean_gradient_is_estimated_without_bias(tmp_path, name, uniform):
    """Over 2,000 seeds, within four standard errors; by gradients' norms it is nearer than by chance alone."""
    rows = flights(300)
    model = trained(tmp_path, rows, hidden=[8])
    (found,) = scores(name, model, pieces(rows), "label")
    gradients = features("gradient", model, pieces(rows), rows.rows, "label").double().numpy()
    true = gradients.mean(axis=0)

    def estimates(by):
        drawn = [with_replacement(by, 20, seed, uniform) for seed in range(2_000)]
        return np.array([(weights[:, None] * gradients[places]).mean(axis=0) for places, weights in drawn])

    drawn, by_chance = estimates(found), estimates(np.ones(300))
    errors = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - true) <= 4 * errors + 1e-12).all()
    if name == "gradient_norm":
        assert ((drawn - true) ** 2).sum() < 0.7 * ((by_chance - true) ** 2).sum()


def test_the_largest_are_biased():
    """And it is said: the rows of the largest scores are not like all rows."""
    values = np.arange(10.0)
    places, weights = largest(values, 3)
    assert (weights * values[places]).mean() == 8 != values.mean()
    assert "biased" in largest.__doc__


def test_what_cannot_be_drawn_from_is_refused():
    for draw in (with_replacement, lambda values, k, seed: largest(values, k)):
        with pytest.raises(ValueError, match="k is 0; 1 row or more is drawn"):
            draw(np.ones(3), 0, 1)
        with pytest.raises(ValueError, match="the score at 1 is nan"):
            draw(np.array([1, np.nan]), 1, 1)
        with pytest.raises(ValueError, match=r"scores have shape \(0,\)"):
            draw(np.empty(0), 1, 1)
    with pytest.raises(ValueError, match=r"the score at 2 is -0.5; .* take the largest of these instead"):
        with_replacement(np.array([0, 1, -0.5]), 1, 1)
    with pytest.raises(ValueError, match="uniform is 1.5; it is a share of the draws"):
        with_replacement(np.ones(3), 1, 1, 1.5)
    assert largest(np.array([0, 1, -0.5]), 2)[0].tolist() == [0, 1]
