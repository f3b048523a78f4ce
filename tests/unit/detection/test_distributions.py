"""Statistics of each feature by itself agree with their definitions, and with values that others computed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import cramervonmises_2samp
from workplace import PROJECT

from tests.unit.detection.plain import PER_FEATURE, sample
from workers.detection.statistics import (
    cvm,
    energy,
    hellinger,
    jensen_shannon,
    ks,
    mmd,
    psi,
    wasserstein,
)

ORACLE = PROJECT.parent / "shared/oracles/drift.json"


@pytest.mark.skipif(not ORACLE.exists(), reason="the values that others computed lie beside the project, if anywhere")
def test_values_that_others_computed():
    """To 1e-6, by scipy and in closed form."""
    told = json.loads(ORACLE.read_text(encoding="utf-8"))
    x, y = np.array(told["reference"]), np.array(told["current"])
    found = {
        "ks_exact": np.array(ks(x, y)).T,
        "wasserstein": wasserstein(x, y)[0],
        "mmd2_unbiased_gaussian_sigma2_2": mmd(x, y, bandwidth=2.0, permutations=0)[0],
        "hellinger_10_bins_pooled_range": hellinger(x, y)[0],
    }
    for name, values in found.items():
        np.testing.assert_allclose(values, told[name], atol=1e-6, rtol=0, err_msg=name)


def distribution_functions(x, y):
    """Both at every value that occurs, and the gaps to the next one."""
    values = np.unique(np.concatenate([x, y]))
    shares = [np.searchsorted(np.sort(one), values, side="right") / len(one) for one in (x, y)]
    return *shares, np.diff(values)


@pytest.mark.parametrize("ties", [False, True])
def test_distances_are_those_of_distribution_functions(ties):
    """Largest distance, area, and root of twice the area of squares, with equal values and without."""
    x, y = sample(50, 37, 4, 0.4)
    if ties:
        x, y = np.round(x, 1), np.round(y, 1)
    for feature in range(4):
        f, g, gaps = distribution_functions(x[:, feature], y[:, feature])
        assert ks(x, y)[0][feature] == pytest.approx(np.abs(f - g).max(), abs=1e-12)
        assert wasserstein(x, y)[0][feature] == pytest.approx((np.abs(f - g)[:-1] * gaps).sum(), abs=1e-12)
        assert energy(x, y)[0][feature] == pytest.approx(np.sqrt(2 * ((f - g)[:-1] ** 2 * gaps).sum()), abs=1e-12)


def test_cvm_is_the_sum_of_squared_distances_over_all_rows():
    """Anderson's (2): n·m/(n + m)² times the sum of (F − G)² at each row of both; with its asymptotic p."""
    x, y = sample(50, 37, 2, 0.4)
    statistic, p_value = cvm(x, y)
    for feature in range(2):
        f, g, _ = distribution_functions(x[:, feature], y[:, feature])
        assert statistic[feature] == pytest.approx(50 * 37 / 87**2 * ((f - g) ** 2).sum(), abs=1e-12)
    assert (p_value < 0.05).tolist() == (statistic > 0.4614).tolist()  # the limit's tabulated 5 % point


def test_cvm_of_many_equal_values():
    """A feature that is mostly 0 is not called different because one window is longer, whichever way it is turned."""
    random = np.random.default_rng(0)
    x, y = ((random.random((rows, 60)) < 0.1) * random.normal(size=(rows, 60)) for rows in (60, 240))
    statistic, p_value = cvm(x, y)
    assert (p_value <= 0.05).mean() <= 0.05  # midranks: all of them
    np.testing.assert_allclose(cvm(-x, -y)[0], statistic, atol=1e-12)
    assert (cvm(x, y + 0.5)[1] < 1e-6).all()


def test_cvm_of_an_accidental_tie():
    """As scipy has it, with the mean of the ranks."""
    x, y = sample(40, 50, 1)
    y[3] = x[7]
    expected = cramervonmises_2samp(x[:, 0], y[:, 0], method="asymptotic")
    assert [one[0] for one in cvm(x, y)] == [expected.statistic, expected.pvalue]


def test_exact_p_of_small_windows():
    """2 + 2 rows apart: of the six orders two are as extreme."""
    statistic, p_value = ks(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))
    assert (statistic.tolist(), p_value.tolist()) == ([1.0], [pytest.approx(1 / 3)])


def test_histograms_have_ten_bins_over_the_pooled_range():
    """The last one closed; psi floors shares at 1e-4 and leaves the others; Jensen–Shannon is a distance, in base 2."""
    x = np.arange(11.0)[:, None]  # 0 to 8 a bin each, 9 and 10 the last one's
    y = np.array([[0.0], [10.0], [10.0], [10.0]])
    p, q = np.array([1] * 9 + [2]) / 11, np.array([1] + [0] * 8 + [3]) / 4
    assert jensen_shannon(x, y)[0].tolist() == [pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)]
    assert hellinger(x, y)[0].tolist() == [pytest.approx(np.sqrt(1 - np.sqrt(p * q).sum()), abs=1e-12)]
    floored = np.maximum(q, 1e-4)
    assert psi(x, y)[0].tolist() == [pytest.approx(((p - floored) * np.log(p / floored)).sum(), abs=1e-12)]


@pytest.mark.parametrize("histogram", [jensen_shannon, hellinger, psi])
def test_bins_far_from_0(histogram):
    """Where floats are too coarse for their edges, distances from the lowest value are not."""
    x, y = np.array([[0.0], [2.0], [4.0]]), np.array([[0.0], [4.0], [4.0]])
    np.testing.assert_allclose(histogram(x + 1e16, y + 1e16)[0], histogram(x, y)[0])


@pytest.mark.parametrize("statistic", PER_FEATURE, ids=lambda one: one.__name__)
@given(
    n=st.integers(2, 9), m=st.integers(2, 9), d=st.integers(1, 3), seed=st.integers(0, 999), few_values=st.booleans()
)
def test_order_of_windows_rows_and_features_does_not_matter(statistic, n, m, d, seed, few_values):
    """Symmetric, blind for the order of rows, 0 or more, features by themselves; p, if there is one, in (0, 1]."""
    x, y = sample(n, m, d, 0.5, seed)
    if few_values:
        x, y = np.round(x), np.round(y)
    value, p_value = statistic(x, y)
    assert value.shape == (d,)
    assert (value >= 0).all()
    assert p_value is None or (p_value.shape == (d,) and ((p_value > 0) & (p_value <= 1)).all())
    np.testing.assert_allclose(statistic(y, x)[0], value, atol=1e-12)
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_allclose(statistic(x[order], y)[0], value, atol=1e-12)
    np.testing.assert_allclose(statistic(x[:, ::-1], y[:, ::-1])[0], value[::-1], atol=1e-12)
    if statistic is not cvm:  # which has scattered places for equal values
        np.testing.assert_allclose(statistic(x, x[order])[0], 0, atol=1e-12)
