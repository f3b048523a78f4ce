"""Many features become one number, or few: over features, and along principal components."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.decomposition import PCA

from shared.errors import ConfigurationError, DataError
from tests.unit.detection.plain import sample
from workers.detection.measures.over_features import over_features
from workers.detection.measures.principal import principal_components
from workers.detection.statistics import mmd


def test_over_features():
    """Mean and largest have no p; Bonferroni's is d times the smallest, at most 1, with that feature's statistic."""
    statistic, p_value = np.array([0.2, 0.6, 0.1]), np.array([0.3, 0.01, 0.9])
    assert over_features(statistic, p_value, "mean") == (pytest.approx(0.3), None)
    assert over_features(statistic, None, "max") == (0.6, None)
    assert over_features(statistic, p_value, "bonferroni") == (0.6, pytest.approx(0.03))
    assert over_features(statistic, p_value + 0.5, "bonferroni") == (0.6, 1.0)
    assert over_features(statistic, np.zeros(3), "bonferroni") == (0.6, 0.0)
    with pytest.raises(ConfigurationError, match="bonferroni .* has no p-value"):
        over_features(statistic, None, "bonferroni")


@pytest.mark.parametrize("alike", [0.0, 0.7])
def test_bonferroni_keeps_its_promise_on_noise(alike):
    """Of many features one is always odd: together they are at most as often as one alone may be, also if alike."""
    random = np.random.default_rng(0)
    noise = np.sqrt(1 - alike) * random.normal(size=(4_000, 20)) + np.sqrt(alike) * random.normal(size=(4_000, 1))
    found = [over_features(row, norm.sf(row), "bonferroni")[1] <= 0.05 for row in noise]
    assert np.mean(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4_000)
    assert np.mean(found) > 0.01


@pytest.mark.parametrize(("n", "d", "components"), [(50, 6, 1), (50, 6, 6), (8, 20, 5)])
def test_principal_components_are_those_of_scikit_learn(n, d, components):
    """But for their signs, which here the largest coefficient settles."""
    x, y = sample(n, 30, d, 0.5)
    x, y = 1e3 + x * np.arange(1, d + 1), 1e3 + y * np.arange(1, d + 1)
    model = PCA(components).fit(x)
    signs = np.sign(np.take_along_axis(model.components_, np.abs(model.components_).argmax(axis=1)[:, None], axis=1)).T
    for found, rows in zip(principal_components(x, y, components), (x, y), strict=True):
        np.testing.assert_allclose(found, model.transform(rows) * signs, atol=1e-9)


def test_drift_along_components_is_seen():
    """A shift where the reference scatters most; as float32 rows too."""
    x, y = (one * [1, 1, 9] for one in sample(80, 60, 3))
    few = principal_components(x.astype(np.float32), (y + [0, 0, 9]).astype(np.float32), 1)
    assert mmd(*few)[1] == 1 / 101


def test_more_components_than_there_are_is_told():
    """With what would do."""
    x, y = sample(4, 9, 6)
    for components in (0, 5):
        with pytest.raises(ConfigurationError, match=f"{components} principal components .* from 1 to 4"):
            principal_components(x, y, components)
    with pytest.raises(DataError, match="6 features and the current one 5"):
        principal_components(x, y[:, :5], 2)
