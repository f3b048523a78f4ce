"""Each coreset is what its definition picks, also with equal rows and in both types."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.selection.coreset import plain
from tests.unit.selection.coreset.samples import cases, kernel, likeness, numbers, rows
from workers.selection.coreset import (
    craig,
    facility_location,
    grad_match,
    graph_cut,
    herding,
    k_center,
    log_determinant,
)

SOME = settings(max_examples=60, deadline=None)


@SOME
@given(cases(), st.none() | st.just(1))
def test_k_center(case, first):
    features, k = case
    assert k_center(features, k, first).tolist() == plain.k_center(numbers(features), k, first)


@SOME
@given(cases())
def test_facility_location(case):
    features, k = case
    similarity = likeness(features)
    assert facility_location(similarity, k).tolist() == plain.facility_location(numbers(similarity), k)


@pytest.mark.parametrize(("line", "column"), [(599, 3), (3, 599)])
def test_a_similarity_that_is_symmetric_but_for_one_number(line, column):
    """Far from its place across the diagonal; read the wrong way round, another row would come first."""
    similarity = kernel(rows(0, 600))
    similarity[line, column] = 1e3
    assert facility_location(similarity, 3).tolist() == plain.facility_location(numbers(similarity), 3)


@SOME
@given(cases())
def test_herding(case):
    features, k = case
    assert herding(features, k).tolist() == plain.herding(numbers(features), k)


@SOME
@given(cases(), st.sampled_from([0.0, 0.3, 2.0]))
def test_graph_cut(case, trade_off):
    features, k = case
    similarity = likeness(features)
    assert graph_cut(similarity, k, trade_off).tolist() == plain.graph_cut(numbers(similarity), k, trade_off)


@SOME
@given(cases())
def test_log_determinant(case):
    """Equal rows are not picked twice: fewer come back."""
    features, k = case
    matrix = kernel(features)
    picked = log_determinant(matrix, k).tolist()
    assert picked == plain.log_determinant(numbers(matrix), k)
    assert len(picked) == min(k, len(features.unique(dim=0)))


@SOME
@given(cases())
def test_craig(case):
    features, k = case
    picked, weights = craig(features, k)
    assert list(zip(picked.tolist(), weights.tolist(), strict=True)) == plain.craig(numbers(features), k)
    assert (weights.sum(), weights.dtype) == (len(features), features.dtype)


@SOME
@given(cases(), st.sampled_from([0.01, 1.0]), st.integers(0, 10**6))
def test_grad_match(case, regularisation, seed):
    """Of targets that are no mean, too, where some weights would be negative."""
    features, k = case
    target = rows(seed, 1, features.shape[1], features.dtype)[0]
    picked, weights = grad_match(features, target, k, regularisation)
    expected = dict(plain.grad_match(numbers(features), numbers(target), k, regularisation))
    got = dict(zip(picked.tolist(), weights.tolist(), strict=True))
    for one in got | expected:  # a weight that is 0 but for rounding may be left out by one and not the other
        assert got.get(one, 0) == pytest.approx(expected.get(one, 0), rel=1e-5, abs=1e-7)
    assert picked.tolist() == sorted(picked.tolist())
    assert weights.isfinite().all()
    assert (weights > 0).all()


@pytest.mark.parametrize("regularisation", [0, 1e-12])
def test_grad_match_weighs_all_picks_where_some_are_combinations_of_others(regularisation):
    """Weights that may not be negative reach a target by rows that bring nothing new: here exactly, of 23 rows in 7
    dimensions, where those 7 that were picked first stay a quarter of its size away.
    """
    random = np.random.default_rng(24)
    features, target = torch.from_numpy(random.normal(size=(29, 7))), torch.from_numpy(random.normal(size=7))
    picked, weights = grad_match(features, target, 23, regularisation)
    assert len(picked) <= 23
    assert float((weights @ features[picked] - target).norm()) < 1e-9


def test_grad_match_of_equal_rows_and_zeros_leaves_out_the_later_ones():
    """The smallest ‖Ax − c‖ that scipy finds gives the first of equal rows all the weight, and 0 none."""
    features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    picked, weights = grad_match(features, torch.tensor([1.0, 1.0]), 4, 0)
    assert picked.tolist() == [1, 3]
    assert weights.tolist() == pytest.approx([0.5, 1.0])


def test_an_equal_distance_counts_for_the_smallest_index():
    """0 and 2 are picked last and first; row 1 is as near to both."""
    features = torch.tensor([[0.0], [1.0], [2.0], [2.0], [2.0]])
    picked, weights = craig(features, 2)
    assert (picked.tolist(), weights.tolist()) == ([2, 0], [3.0, 2.0])


def test_herding_comes_nearer_to_the_mean_than_chance():
    features = rows(0, 500, 8)
    mean = features.mean(dim=0)
    chance = [(features[np.random.default_rng(s).permutation(500)[:20]].mean(dim=0) - mean).norm() for s in range(20)]
    assert (features[herding(features, 20)].mean(dim=0) - mean).norm() < min(chance) / 3
