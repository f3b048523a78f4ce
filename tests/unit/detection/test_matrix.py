"""Columns become numbers in the reference's scale, and what is new in them shows."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from shared.errors import DataError
from workers.detection.matrix import as_numbers


def features(reference, current, kind=None):
    """Both windows of one column, feature by feature."""
    x, y, _ = as_numbers(*(pa.table({"c": pa.array(one, kind)}) for one in (reference, current)))
    return [(a.tolist(), b.tolist()) for a, b in zip(x.T, y.T, strict=True)]


def test_numbers_have_the_scale_of_the_reference():
    """Its mean is 0 and its deviation 1, for the current window too; truths and dates are numbers."""
    assert features([1, 3], [2, 5]) == [([-1, 1], [0, 3])]
    assert features([False, True], [True]) == [([-1, 1], [1])]
    days = [datetime.date(2024, 1, day) for day in (1, 3, 4)]
    assert features(days[:2], days[2:]) == [([-1, 1], [2])]


def test_a_column_that_never_varied_counts_once_it_does():
    """To a model it is nothing that was learned of; here it is what has moved."""
    ((x, y),) = features([7.0, 7.0], [7.0, 9.0])
    assert x[0] == x[1] == y[0]
    assert y[1] - y[0] > 1
    ((x, y),) = features([0.1] * 3, [0.1])
    assert [*x, *y] == pytest.approx([0] * 4)


def test_texts_are_a_feature_for_each_category():
    """The commonest first; one that the reference does not have is a feature of its own."""
    assert features(["b", "a", "b"], ["a", "c"]) == [
        ([1, 0, 1], [0, 0]),
        ([0, 1, 0], [1, 0]),
        ([0, 0, 0], [0, 1]),
    ]


def test_rare_categories_are_one_feature_together():
    """A column with thousands of them does not become thousands of features."""
    reference = [f"{number:04}" for number in range(1_000) for _ in range(2 if number < 100 else 1)]
    found = features(reference, ["0005", "0500", "new"])
    assert len(found) == 102
    assert sum(found[100][0]) == 900
    assert [one[1] for one in (found[5], found[100], found[101])] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_what_is_missing_is_a_feature_of_its_own():
    """Nulls, NaN and infinities count as the reference's mean; of a column all of nulls, that they are is left."""
    assert features([1.0, 3.0, None], [float("inf"), 2.0, float("nan")]) == [
        ([-1, 1, 0], [0, 0, 0]),
        ([0, 0, 1], [1, 0, 1]),
    ]
    assert features(["a", "a"], ["a", None])[1] == ([0, 0], [0, 1])
    assert features([1.0, 3.0], [None, None]) == [([-1, 1], [0, 0]), ([0, 0], [1, 1])]
    assert features([None, None], [1.0, 3.0])[0][1] == [-1, 1]
    x, y, _ = as_numbers(pa.table({"c": pa.nulls(2)}), pa.table({"c": ["a", "b"]}))
    assert y.sum(axis=0).tolist() == [2, 0]


@pytest.mark.parametrize("values", [[1e300, -1e300], [5e-324, 0.0], [1e-200, 1.0]])
def test_extreme_numbers_stay_numbers(values):
    """Whatever a broken feed sends, squares of it are finite."""
    for pair in features(values, [1e308, -1e308]) + features([0.0, 1e-300], values):
        assert np.isfinite(np.square(np.concatenate(pair))).all()


def test_columns_of_other_things_are_refused():
    """By name and type, with what to do."""
    with pytest.raises(DataError, match="'c' is of type list<item: int64>, whose drift cannot"):
        features([[1]], [[2]])
    with pytest.raises(DataError, match="of type double and string"):
        as_numbers(pa.table({"c": [1.0]}), pa.table({"c": ["a"]}))
