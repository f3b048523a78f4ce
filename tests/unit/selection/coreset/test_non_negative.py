"""Weights that may not be negative are the best of those that may not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from workers.selection.coreset.non_negative import non_negative_solution


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
