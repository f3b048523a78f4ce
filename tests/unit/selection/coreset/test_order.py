"""The order of the rows, their place in memory, threads and devices change nothing; equal rows come by index."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.selection.coreset.samples import TYPES, kernel, likeness, rows
from workers.selection.coreset import (
    craig,
    facility_location,
    grad_match,
    graph_cut,
    herding,
    k_center,
    log_determinant,
)


def _target(features):
    return features.double().abs().mean(dim=0).to(features.dtype)


def _uneven(features):
    """A similarity without ties: were it symmetric, two rows nearest to each other would add the same."""
    return (kernel(features) * features[:, :1].double().exp()).to(features.dtype)


# Each of features and k, in the order picked.
ORDERED = {
    "k_center": lambda features, k: k_center(features, k, 0),
    "facility_location": lambda features, k: facility_location(_uneven(features), k),
    "craig": lambda features, k: craig(features, k)[0],
    "herding": herding,
    "graph_cut": lambda features, k: graph_cut(likeness(features), k, 0.5),
    "log_determinant": lambda features, k: log_determinant(kernel(features).to(features.dtype), k),
}
ALL = {**ORDERED, "grad_match": lambda features, k: grad_match(features, _target(features), k, 0.5)[0]}


@pytest.mark.parametrize("name", ORDERED)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 19))
@settings(max_examples=15, deadline=None)
def test_the_first_picks_do_not_depend_on_how_many_follow(name, seed, k):
    features = rows(seed, 20)
    assert ORDERED[name](features, k).tolist() == ORDERED[name](features, 20).tolist()[:k]


@pytest.mark.parametrize("name", sorted(set(ALL) - {"craig"}))
@given(seed=st.integers(0, 10**6), turned=st.permutations(range(1, 20)))
@settings(max_examples=15, deadline=None)
def test_other_places_of_the_rows_give_the_same_rows(name, seed, turned):
    """Row 0, with which k_center begins, stays. Not of craig, which has ties of its own."""
    features, places = rows(seed, 20), torch.tensor([0, *turned])
    there = places[ALL[name](features[places], 4)]
    expected = ALL[name](features, 4)
    assert there.tolist() == expected.tolist() if name in ORDERED else sorted(there.tolist()) == expected.tolist()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ALL)
def test_equal_rows_are_picked_by_index(name, dtype):
    """Wherever they lie: what is added up in another order in the last few rows would prefer a later one."""
    different = rows(5, 29, 13, dtype)
    which = torch.randint(29, (317,), generator=torch.Generator().manual_seed(3))
    picked = ALL[name](different[which], 120).tolist()
    for one in range(29):
        there = (which == one).nonzero()[:, 0].tolist()
        mine = [index for index in picked if which[index] == one]
        assert mine == there[: len(mine)]


def test_rows_far_from_zero_tie_as_those_near_it_do():
    """Whole numbers, so only the rounding of their mean differs."""
    for seed in range(30):
        near = torch.randint(-3, 4, (14, 2), generator=torch.Generator().manual_seed(seed)).double()
        assert herding(near + 10**6, 14).tolist() == herding(near, 14).tolist()


@pytest.mark.parametrize("name", ALL)
def test_memory_and_threads_change_nothing(name):
    """Rows with gaps between them, columns first, with a history, and on one or two threads."""
    features = rows(1, 120, 16, torch.float32)
    expected = ALL[name](features, 20).tolist()
    apart = torch.zeros(240, 32)[::2, ::2].copy_(features)
    turned = features.T.contiguous().T
    learned = features.clone().requires_grad_()
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for same in (features, apart, turned, learned):
                assert ALL[name](same, 20).tolist() == expected
    finally:
        torch.set_num_threads(before)
    assert torch.equal(features, apart), "what is given is not changed"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_picks_the_same(name):
    features = rows(1, 300, 16, torch.float32)
    picked = ALL[name](features.cuda(), 40)
    assert (picked.tolist(), picked.device.type) == (ALL[name](features, 40).tolist(), "cuda")
