"""Weights that may not be negative are the best of those that may not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from workers.selection.coreset.non_negative import non_negative_of_any_rank, non_negative_solution


@given(seed=st.integers(0, 10**6), size=st.integers(1, 40), ridge=st.sampled_from([1e-3, 0.1, 10.0]))
@settings(max_examples=30, deadline=None)
def test_as_by_another_method(seed, size, ridge):
    """Lawson and Hanson's, which frees one weight at a time."""
    random = np.random.default_rng(seed)
    half = random.normal(size=(size, size // 2 + 1))
    matrix, values = half @ half.T + ridge * np.eye(size), random.normal(size=size)
    expected, error = nnls(matrix, values)
    found = non_negative_solution(torch.from_numpy(matrix), torch.from_numpy(values)).numpy()
    assert np.linalg.norm(matrix @ found - values) == pytest.approx(error, rel=1e-9, abs=1e-9)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6 * max(1, expected.max()))
    assert (found >= 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_it_ends_where_a_matrix_is_nearly_of_lower_rank(seed):
    """Rows far away from 0 are all alike, so rounding says which weights are below 0."""
    random = np.random.default_rng(seed)
    rows = np.round(random.normal(size=(8, 8))) + 10_000
    matrix, values = rows @ rows.T, rows @ (random.normal(size=8) * 10_000)
    asked = [0]

    def patience() -> None:
        asked[0] += 1
        assert asked[0] < 1_000

    found = non_negative_solution(torch.from_numpy(matrix), torch.from_numpy(values), patience).numpy()
    error = np.linalg.norm(matrix @ nnls(matrix, values)[0] - values)
    assert (found >= 0).all()
    assert np.linalg.norm(matrix @ found - values) == pytest.approx(error, rel=1e-3, abs=1e-9 * np.linalg.norm(values))


def _of_low_rank(seed, size=100, rank=30):
    """Products of rows whose sizes are far apart, some of them equal, and those with their mean."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(size, rank))[random.integers(0, size, size)] * 10.0 ** random.integers(
        -8, 8, size=(size, 1)
    )
    return rows @ rows.T, rows @ rows.mean(axis=0)


@pytest.mark.parametrize("seed", range(10))
def test_of_low_rank_it_is_what_scipy_finds(seed):
    """With patience: its own is too short for some of these."""
    matrix, values = _of_low_rank(seed)
    expected, _ = nnls(matrix, values, maxiter=10_000)
    found = non_negative_of_any_rank(torch.from_numpy(matrix), torch.from_numpy(values)).numpy()
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(10))
def test_where_scipy_gives_up_weights_are_found_all_the_same(seed):
    matrix, values = _of_low_rank(seed)
    found = non_negative_of_any_rank(torch.from_numpy(matrix), torch.from_numpy(values), exchanges=0).numpy()
    assert (found >= 0).all()
    assert np.linalg.norm(matrix @ found - values) < 0.01 * np.linalg.norm(values)
