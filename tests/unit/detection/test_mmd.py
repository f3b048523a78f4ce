"""MMD is what its definition says, in blocks, far from 0 and with ties, and its p is that of permutations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConfigurationError, DataError
from supervisor.triggers.decide import Threshold
from tests.unit.detection.plain import median_bandwidth, sample, squared, squared_mmd
from workers.detection.measures.median import median
from workers.detection.measures.pairs import Pairs
from workers.detection.statistics import mmd


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (2, 9, 4), (40, 50, 3), (700, 330, 2), (1_030, 20, 5)])
def test_statistic_is_that_of_the_definition(n, m, d, unbiased):
    """With a bandwidth given and without, however the rows fall into blocks."""
    x, y = sample(n, m, d, shift=0.3)
    for bandwidth in (0.7, None):
        expected = squared_mmd(x, y, bandwidth or median_bandwidth(x, y), unbiased)
        found, p_value = mmd(x, y, bandwidth=bandwidth, unbiased=unbiased, permutations=0)
        assert found == pytest.approx(expected, abs=1e-9)
        assert p_value is None


@pytest.mark.parametrize("rows", [2, 3, 4, 700, 800])
def test_median_is_that_of_all_pairs(rows):
    """Where they are sorted to the last digits, where they are counted in bins to seven."""
    points = sample(rows, 1, 3)[0]
    expected = 2 * median_bandwidth(points[:1], points[1:])
    assert median(Pairs(torch.from_numpy(points))) == pytest.approx(expected, rel=1e-12 if rows < 720 else 1.3e-7)


@pytest.mark.parametrize("kind", ["one value", "two values", "few values", "one far away", "two heaps"])
def test_median_is_found_where_a_sample_does_not_say_where(kind):
    """Many equal distances, and such that are a thousand times as long as others."""
    points = sample(900, 1, 2)[0]
    if kind == "one value":
        points[:] = 3
    elif kind == "two values":
        points[:] = points > 0
    elif kind == "few values":
        points = np.round(points)
    elif kind == "one far away":
        points[0] = 1e7
    else:  # 435 · 465 pairs are half of all: the two in the middle lie on either side of a gap
        points[:435] *= 1e-3
        points[435:] += 1e3
    expected = 2 * median_bandwidth(points[:1], points[1:])
    pairs = Pairs(torch.from_numpy(points))
    pairs.be_careful(expected)
    assert median(pairs) == pytest.approx(expected, rel=2e-7)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
def test_an_offset_costs_no_digits(offset):
    """Rows far from 0 have the distances that they have: those of the rounded values, exactly."""
    x, y = (offset + one for one in sample(shift=0.5))
    expected = squared_mmd(x - offset, y - offset, 1.5)
    assert mmd(x, y, bandwidth=1.5, permutations=0)[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_windows_far_from_each_other_cost_no_digits(far):
    """A feed that breaks: pairs within a window are near, and the windows are not."""
    x, y = sample(400, 150)
    y = y + far
    expected = squared_mmd(x, y, median_bandwidth(x, y))
    assert mmd(x, y, permutations=0)[0] == pytest.approx(expected, abs=1e-8)


def test_a_kernel_near_1_keeps_its_digits():
    """With a wide bandwidth MMD² is tiny, and right: 2·|mean difference|²/(2·bandwidth) for the biased one."""
    x, y = sample(shift=1.0)
    gap = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    found, p_value = mmd(x, y, bandwidth=1e14, unbiased=False)
    assert found == pytest.approx(gap / 1e14, rel=1e-6)
    assert p_value == 1 / 101


@pytest.mark.parametrize("moved", [0.0, 1.0])
def test_rows_that_are_nearly_all_equal(moved):
    """The kernel of bandwidth 0 is 1 for equal rows, else 0: nothing changed, or all of it did."""
    x, y = np.zeros((30, 2)), np.zeros((10, 2)) + moved
    y[0] += 5
    same = 1 + 9 * 8 / (10 * 9) - 2 * (0 if moved else 9 / 10)
    found, p_value = mmd(x + 1e6, y + 1e6)
    assert found == pytest.approx(same, abs=1e-12)
    assert p_value == (1 / 101 if moved else 1)


def test_p_is_that_of_permutations():
    """Within three standard errors of what as many others say, of statistics that are summed plainly."""
    for seed, shift in ((0, 0.0), (1, 0.15), (2, 0.3)):
        x, y = sample(30, 25, 2, shift, seed)
        bandwidth, pooled, random = median_bandwidth(x, y), np.concatenate([x, y]), np.random.default_rng(9)
        kernel = np.exp(-squared(pooled, pooled) / (2 * bandwidth))
        weight = np.r_[np.full(30, 1 / 30), np.full(25, -1 / 25)]
        orders = [random.permutation(55) for _ in range(999)]
        larger = sum(weight[order] @ kernel @ weight[order] >= weight @ kernel @ weight for order in orders)
        expected = (larger + 1) / 1_000
        error = np.sqrt(2 * expected * (1 - expected) / 999)
        assert abs(mmd(x, y, permutations=999, unbiased=False)[1] - expected) <= 3 * error


def test_ties_count_as_larger():
    """Of the six ways to part 2 + 2 rows this one and its mirror image tie: p is a third, not next to nothing."""
    x, y = np.array([[0.1], [0.2]]), np.array([[7.1], [7.3]])
    assert mmd(x, y, permutations=3_000)[1] == pytest.approx(1 / 3, abs=0.026)


def test_more_permutations_than_are_held_at_once():
    """p does not depend on how many are computed together: the first of many are those of few."""
    x, y = sample(20, 20, shift=0.3)
    few, many = (mmd(x, y, permutations=number, seed=5) for number in (1_000, 2_500))
    assert few[0] == many[0]
    count = {number: round(p * (number + 1)) - 1 for number, (_, p) in ((1_000, few), (2_500, many))}
    assert 0 <= count[2_500] - count[1_000] <= 1_500
    assert count[2_500] / 2_500 == pytest.approx(count[1_000] / 1_000, abs=0.05)


def test_noise_seldom_looks_like_drift():
    """p is uniform where nothing changes: the predecessor's 5 % was 12 %."""
    rejected = sum(mmd(*sample(20, 15, 2, seed=seed), permutations=99)[1] <= 0.05 for seed in range(400))
    assert abs(rejected / 400 - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / 400)


@settings(max_examples=40)
@given(
    n=st.integers(2, 12),
    m=st.integers(2, 12),
    d=st.integers(1, 4),
    seed=st.integers(0, 999),
    few_values=st.booleans(),
    data=st.data(),
)
def test_order_of_windows_and_rows_does_not_matter(n, m, d, seed, few_values, data):
    """Symmetric, blind for the order of rows and for the scale of all, 0 for equal sets if biased, p in (0, 1]."""
    x, y = sample(n, m, d, 0.5, seed)
    if few_values:
        x, y = np.round(x), np.round(y)
    found, p_value = mmd(x, y, permutations=19, seed=seed)
    assert 0 < p_value <= 1
    assert mmd(y, x, permutations=0)[0] == pytest.approx(found, abs=1e-12)
    shuffled = np.array(data.draw(st.permutations(x.tolist())))
    assert mmd(shuffled, y, permutations=0)[0] == pytest.approx(found, abs=1e-12)
    assert mmd(8 * x, 8 * y, permutations=0)[0] == pytest.approx(found, abs=1e-12)
    assert mmd(x, shuffled, unbiased=False) == (pytest.approx(0, abs=1e-12), 1.0)
    assert mmd(x, y, unbiased=False, permutations=0)[0] >= -1e-12


def test_the_seed_settles_p():
    """The same seed, the same p; another one, mostly another."""
    x, y = sample(shift=0.2)
    values = [mmd(x, y, seed=seed)[1] for seed in (0, 0, 1, 2, 3)]
    assert values[0] == values[1]
    assert len(set(values)) > 1


def test_shifts_of_a_stream_are_found_and_nothing_else():
    """Four of half a deviation, in windows of 500 × 32, by a threshold, the reference restarted at each."""
    stream = np.random.default_rng(0).normal(size=(20_000, 32)) + 0.5 * (np.arange(20_000) // 4_000)[:, None]
    rule, reference, fired = Threshold(0.05), stream[:500], []
    for stop in range(1_000, 20_001, 500):
        current = stream[stop - 500 : stop]
        if rule.fires(mmd(reference, current, permutations=0)[0]):
            reference = current
            fired.append(stop)
    assert fired == [4_500, 8_500, 12_500, 16_500]


def test_wrong_options_are_told():
    """In sentences, with the value."""
    x, y = sample()
    with pytest.raises(ConfigurationError, match="bandwidth of mmd is 0"):
        mmd(x, y, bandwidth=0)
    with pytest.raises(ConfigurationError, match="-1 permutations"):
        mmd(x, y, permutations=-1)
    with pytest.raises(ConfigurationError, match="seed of mmd is -3"):
        mmd(x, y, seed=-3)
    with pytest.raises(DataError, match="current window has 1 rows"):
        mmd(x, y[:1])
    assert mmd(x, y[:1], unbiased=False)[0] > 0
