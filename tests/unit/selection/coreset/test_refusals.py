"""What cannot be used is told in a sentence; what is odd but can be used, is."""

from __future__ import annotations

import pytest
import torch

from tests.unit.selection.coreset.samples import rows
from workers.selection.coreset import (
    craig,
    facility_location,
    grad_match,
    graph_cut,
    herding,
    k_center,
    log_determinant,
)

FEATURES = {
    "k_center": k_center,
    "herding": herding,
    "craig": craig,
    "grad_match": lambda g, k: grad_match(g, torch.ones(3), k, 1.0),
}
SQUARE = {
    "facility_location": facility_location,
    "graph_cut": lambda s, k: graph_cut(s, k, 1.0),
    "log_determinant": log_determinant,
}
BOTH = {**FEATURES, **SQUARE}


def usable(name):
    return rows(0, 3, 3) @ rows(0, 3, 3).T


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("k", [0, 4, -1, 1.0, True])
def test_k_is_from_one_to_the_rows(name, k):
    with pytest.raises(ValueError, match=f"k is {k!r}; of 3 rows 1 to 3 can be picked"):
        BOTH[name](usable(name), k)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e200])
def test_a_value_that_cannot_be_reckoned_with(name, value):
    """With its place."""
    values = usable(name)
    values[1, 2] = value
    with pytest.raises(ValueError, match=r"at \[1, 2\] cannot be reckoned with"):
        BOTH[name](values, 2)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.complex64])
def test_other_types(name, dtype):
    with pytest.raises(ValueError, match="give float32 or float64"):
        BOTH[name](usable(name).to(dtype), 2)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, 0), (3, 3, 3)])
def test_features_are_rows(name, shape):
    with pytest.raises(ValueError, match="a matrix of one row or more is needed"):
        FEATURES[name](torch.ones(shape), 1)


@pytest.mark.parametrize("name", SQUARE)
@pytest.mark.parametrize("shape", [(3,), (0, 0), (3, 2), (3, 3, 3)])
def test_a_similarity_is_square(name, shape):
    with pytest.raises(ValueError, match="it is square"):
        SQUARE[name](torch.ones(shape), 1)


@pytest.mark.parametrize("first", [-1, 3, 0.0, True])
def test_first_is_a_row(first):
    with pytest.raises(ValueError, match=f"first is {first!r}; the rows are 0 to 2"):
        k_center(rows(0, 3), 2, first)


def test_a_target_is_as_a_gradient():
    with pytest.raises(ValueError, match=r"target has shape \(1, 3\)"):
        grad_match(rows(0, 3), rows(1, 1), 2, 1.0)
    with pytest.raises(ValueError, match="target: nan at"):
        grad_match(rows(0, 3), torch.full((3,), torch.nan), 2, 1.0)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_regularisation_is_not_negative(value):
    with pytest.raises(ValueError, match="regularisation is"):
        grad_match(rows(0, 3), torch.ones(3), 2, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_trade_off_is_a_number(value):
    with pytest.raises(ValueError, match="trade_off is"):
        graph_cut(usable(""), 2, value)


@pytest.mark.parametrize("name", BOTH)
def test_a_single_row(name):
    one = torch.ones(1, 3) if name in FEATURES else torch.ones(1, 1)
    picked = BOTH[name](one, 1)
    assert (picked[0] if isinstance(picked, tuple) else picked).tolist() == [0]


def test_all_rows_are_equal():
    """They come by index; all count for the first."""
    same = torch.full((5, 3), 0.3)
    assert k_center(same, 4).tolist() == [0, 1, 2, 3]
    assert k_center(same, 4, 2).tolist() == [2, 0, 1, 3]
    assert herding(same, 4).tolist() == [0, 1, 2, 3]
    assert [one.tolist() for one in craig(same, 4)] == [[0], [5.0]]
    assert facility_location(torch.zeros(5, 5), 4).tolist() == [0, 1, 2, 3]
    assert graph_cut(torch.ones(5, 5), 4, 0.5).tolist() == [0, 1, 2, 3]
    assert log_determinant(torch.ones(5, 5), 4).tolist() == [0]


def test_a_kernel_of_zeros_has_no_row_to_pick():
    assert log_determinant(torch.zeros(3, 3), 2).tolist() == []


@pytest.mark.parametrize("regularisation", [0.0, 1.0])
def test_gradients_of_zero_get_no_weight(regularisation):
    """Though they are picked before one that points the other way."""
    gradients = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    picked, weights = grad_match(gradients, torch.tensor([1.0, 0.0]), 3, regularisation)
    assert (picked.tolist(), weights.tolist()) == ([3], [pytest.approx(0.5, abs=0.1)])
    picked, weights = grad_match(gradients[:3], torch.tensor([1.0, 0.0]), 3, regularisation)
    assert (picked.tolist(), weights.tolist()) == ([], [])


def test_without_regularisation_the_target_is_met_where_it_can_be():
    """More picks than columns, and equal rows, are no trouble."""
    gradients = torch.cat([rows(0, 30, 4).abs()] * 2)
    target = gradients[3] + 2 * gradients[8]
    picked, weights = grad_match(gradients, target, 40, 0.0)
    assert len(picked) <= 4
    assert weights @ gradients[picked] == pytest.approx(target, rel=0.2)
