"""Fair shares are right for all sizes of groups."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.strategies.fair_share import shares


def poured(counts, limit):
    """The definition: one row after another to the first of the groups with fewest that have more."""
    given_out = [0] * len(counts)
    for _ in range(min(limit, sum(counts))):
        open_groups = [group for group, count in enumerate(counts) if given_out[group] < count]
        given_out[min(open_groups, key=lambda group: given_out[group])] += 1
    return given_out


def test_groups_of_one_size_share_all_of_the_limit():
    """Ten groups of a hundred rows give 55 each of 550, where the predecessor took one of each."""
    assert shares(np.full(10, 100), 550).tolist() == [55] * 10
    assert shares(np.full(10, 100), 1000).tolist() == [100] * 10
    assert shares(np.full(3, 100), 10).tolist() == [4, 3, 3]


@given(counts=st.lists(st.integers(0, 40), max_size=7), limit=st.integers(0, 200))
def test_shares_are_filled_like_water(counts, limit):
    """As if rows were given out one by one, each to a group that has fewest."""
    assert shares(np.array(counts, np.int64), limit).tolist() == poured(counts, limit)
