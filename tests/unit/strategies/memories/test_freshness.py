"""freshness selects a share of rows that this run never selected before, and knows which those are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from scipy.stats import chisquare

from shared.strategies.build import strategy_of
from shared.strategies.memories.used import Used
from shared.strategies.state import read_state
from tests.unit.strategies.asked import named
from tests.unit.strategies.memories.stream import chosen_of, through

SOME = settings(max_examples=60, deadline=None)


@SOME
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    limit=st.integers(1, 60),
    share=st.floats(0.01, 1),
    cuts=st.lists(st.integers(0, 200), max_size=3),
)
def test_the_share_was_never_selected_before(sizes, limit, share, cuts):
    """As far as there are such rows, and so many others; the state has all that were used, each trigger `limit`."""
    used: set[int] = set()
    strategy, known = named("freshness", limit=limit, unused_share=share), 0
    for size, (keys, state) in zip(sizes, through(strategy, sizes, cuts=cuts), strict=True):
        known += size
        fresh = len(set(keys) - used)
        assert len(keys) == min(limit, known)
        wanted = max(round(limit * share), 1)
        assert fresh == min(known - len(used), max(wanted, limit - len(used)))
        used |= set(keys)
        assert np.flatnonzero(Used(read_state(state)).among(np.arange(known))).tolist() == sorted(used)
    assert chosen_of(strategy, sizes) == chosen_of(strategy, sizes, cuts=cuts)


def test_within_a_kind_every_row_is_as_likely():
    """Over 400 seeds: of those that were used, and of those that were not."""
    often = np.zeros((2, 120))
    for seed in range(400):
        first, second = chosen_of(named("freshness", limit=40, unused_share=0.5, seed=seed), [120, 0])
        often[0, first] += 1
        often[1, second] += 1
        assert len(set(first) & set(second)) == 20
    assert all(chisquare(one).pvalue > 1e-3 for one in often)


def test_a_forecast_knows_how_much_is_selected():
    """From all rows, up to the limit."""
    built = strategy_of(named("freshness", limit=20, unused_share=0.5))
    assert (built.selects_all, built.selects_at_most) == (True, 20)


@pytest.mark.parametrize(
    ("share", "told"), [(80, "80 is more than all; write a share, such as 0.8"), (0, "not a number above zero")]
)
def test_percents_are_no_share(share, told):
    with pytest.raises(ValidationError, match=told):
        named("freshness", limit=20, unused_share=share)


@SOME
@given(
    parts=st.lists(
        st.tuples(st.sampled_from([0, 65_530, 2**33]), st.integers(1, 90_000), st.integers(1, 40)), max_size=4
    )
)
def test_a_set_of_keys_is_that_set_in_few_bytes(parts):
    """Whether rows lie densely or far apart, also beyond 2³²; a bit or two bytes for each, and some for a block."""
    state, kept = None, np.empty(0, np.int64)
    for first, length, step in parts:
        keys = np.arange(first, first + length, step)
        state, kept = Used(state).after(keys), np.union1d(kept, keys)
    asked = np.unique(np.concatenate([kept, kept + 1, kept + 65_536, [0]])).astype(np.int64)
    assert np.array_equal(Used(state).among(asked), np.isin(asked, kept))
    if state is not None:
        blocks = np.unique(kept >> 16, return_counts=True)[1]
        assert [len(rows.as_py()) for rows in state["rows"]] == np.minimum(2 * blocks, 8192).tolist()
        assert state["block"].to_pylist() == np.unique(kept >> 16).tolist()
