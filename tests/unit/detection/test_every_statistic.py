"""What all statistics have in common: they tell drift from none, take windows of any make, and refuse what is none."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import DataError
from tests.unit.detection.plain import EVERY, sample

every = pytest.mark.parametrize("statistic", EVERY, ids=lambda one: one.__name__)


def largest(found):
    """The statistic, of the feature that has most of it."""
    return float(np.max(found[0]))


@every
def test_drift_is_told_from_none(statistic):
    """Each of them: of the predecessor's five one worked. Windows that moved have more of it than any that did not."""
    still = [largest(statistic(*sample(80, 60, 2, seed=seed))) for seed in range(10)]
    moved = [largest(statistic(*sample(80, 60, 2, 1.5, seed=seed))) for seed in range(3)]
    assert min(moved) > max(still)


@every
def test_p_values_tell_drift_from_none(statistic):
    """Small where the windows moved, as large as chance has it where they did not."""
    p_values = [statistic(*sample(80, 60, 1, shift))[1] for shift in (1.5, 0.0)]
    if statistic.__name__ in ("mmd", "classifier_two_sample", "ks", "cvm"):
        assert np.max(p_values[0]) <= 0.01
        assert np.min(p_values[1]) > 0.05
    else:
        assert p_values == [None, None]


@every
def test_windows_of_any_make(statistic):
    """float32, whole numbers, views, columns in front: the values count, and what was given stays as it is."""
    x, y = (np.round(4 * one) for one in sample(12, 9, 3, 0.5))
    expected = statistic(x, y)
    wide = np.repeat(x, 2, axis=0)[::2]
    for reference, current in (
        (x.astype(np.float32), y.astype(np.float32)),
        (x.astype(np.int16), y.astype(np.int64)),
        (np.asfortranarray(x), np.asfortranarray(y)),
        (wide, y[::-1][::-1]),
        (x.tolist(), y.tolist()),
    ):
        before = np.array(reference), np.array(current)
        found = statistic(reference, current)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        np.testing.assert_array_equal(reference, before[0])
        np.testing.assert_array_equal(current, before[1])


@every
def test_a_constant_feature_says_nothing(statistic):
    """Beside others it changes nothing; alone there is no drift, at 0, far from it, and where halves are inexact."""
    x, y = sample(12, 9, 2, 0.5)
    alone = statistic(x, y)[0]
    for constant in (0.0, 0.1, -1e12):
        beside = statistic(np.c_[x, np.full(12, constant)], np.c_[y, np.full(9, constant)])[0]
        assert np.ravel(beside)[: np.size(alone)] == pytest.approx(alone, abs=1e-9)
        nothing, p_value = statistic(np.full((12, 1), constant), np.full((9, 1), constant))
        assert np.all(nothing == 0) or statistic.__name__ == "classifier_two_sample"
        assert p_value is None or np.all(np.asarray(p_value) > 0.5)


@every
def test_windows_that_cannot_be_compared(statistic):
    """Each is told in a sentence: which window, what is wrong with it, and what to do."""
    x, y = sample(12, 9, 3)
    hole, endless, huge = x.copy(), y.copy(), y.copy()
    hole[4, 1], endless[3, 2], huge[0, 0] = np.nan, -np.inf, 1e200
    for reference, current, said in (
        (hole, y, "reference window holds nan in row 4, feature 1"),
        (x, endless, "current window holds -inf in row 3, feature 2"),
        (x, huge, r"current window holds 1e\+200 in row 0"),
        (x, y[:0], "current window has 0 rows, too few"),
        (x[:, :0], y[:, :0], "reference window has no features"),
        (x, y[:, :2], "3 features and the current one 2"),
        (x[:, 0], y[:, 0], r"shape \(12,\); give it as \(rows, features\)"),
        (x, y.astype(str), "holds <U.*no numbers; encode them"),
        (x, [[1.0, 2.0, 3.0], [1.0]], "current window is no array"),
    ):
        with pytest.raises(DataError, match=said):
            statistic(reference, current)
