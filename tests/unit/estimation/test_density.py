"""Weights make a reference look like the window."""

from __future__ import annotations

import numpy as np
import pytest

from workers.estimation.density import Ratio, density_ratio


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (0.7, 1.0), (0.0, 0.6), (-0.5, 0.8)])
def test_a_weighted_reference_has_the_windows_moments(mean, deviation):
    """Means and deviations, of features whose scales differ."""
    random, scales = np.random.default_rng(0), np.array([1.0, 100.0])
    reference = random.normal(size=(3_000, 2)) * scales
    window = random.normal(mean, deviation, size=(2_000, 2)) * scales
    weights, covered = density_ratio(reference, window)
    assert covered > 0.9
    assert weights.mean() == pytest.approx(1)
    middle = np.average(reference, axis=0, weights=weights)
    spread = np.sqrt(np.average((reference - middle) ** 2, axis=0, weights=weights))
    assert np.abs((middle - window.mean(axis=0)) / scales).max() < 0.06
    assert np.abs((spread - window.std(axis=0)) / scales).max() < 0.06


def test_rows_that_nothing_is_like_do_not_let_a_few_stand_for_all():
    """Windows far apart: those that are nearest share what counts, and how few are left is said."""
    random = np.random.default_rng(0)
    reference = random.normal(size=(500, 1))
    found = density_ratio(reference, random.normal(9, 1, size=(500, 1)))
    assert found.weights.min() > 0
    assert found.weights.argmax() == reference.argmax()
    assert found.covered < 0.1
    assert found.effective_rows < 20
    assert Ratio(np.ones(7), 1.0).effective_rows == 7
