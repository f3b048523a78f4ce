"""Orders and batches are functions of seed, epoch and size alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.training.order.bounds import batch_bounds
from workers.training.order.shuffled import sample_order

sizes = st.integers(1, 300)


@given(st.integers(0, 2**64), st.integers(0, 50), sizes)
def test_an_order_is_a_permutation_that_can_be_had_again(seed, epoch, rows):
    """Every row once, and the same order for the same seed and epoch."""
    order = sample_order(seed, epoch, rows).tolist()
    assert sorted(order) == list(range(rows))
    assert sample_order(seed, epoch, rows).tolist() == order


def test_epochs_and_seeds_have_orders_of_their_own():
    """Neither repeats another's."""
    orders = {tuple(sample_order(seed, epoch, 50).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@given(sizes, st.integers(1, 50), st.booleans())
def test_batches_cover_every_row_once(rows, batch_size, lone_row_allowed):
    """No row is dropped, and only a lone last row may enlarge a batch."""
    bounds = batch_bounds(rows, batch_size, lone_row_allowed=lone_row_allowed)
    assert [row for first, stop in bounds for row in range(first, stop)] == list(range(rows))
    assert all(stop - first <= batch_size for first, stop in bounds[:-1])


@pytest.mark.parametrize(("allowed", "bounds"), [(True, [(0, 2), (2, 4), (4, 5)]), (False, [(0, 2), (2, 5)])])
def test_a_lone_last_row_joins_where_batch_norm_needs_it(allowed, bounds):
    """Five rows in twos."""
    assert list(batch_bounds(5, 2, lone_row_allowed=allowed)) == bounds
