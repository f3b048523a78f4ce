"""Rows are drawn evenly, exactly so many, and the same however they are read."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from shared.strategies.draws import drawn, seed_at


def all_drawn(n, most, seed, cuts=()):
    """The rows drawn of keys 0 … n − 1, read in pieces."""
    pieces = np.split(np.arange(n), sorted(min(cut, n) for cut in cuts))
    return np.concatenate(list(drawn(lambda: iter(pieces), lambda rows: min(most, rows), seed)))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 300), most=st.integers(0, 320), seed=st.integers(0, 2**63 - 1),
    cuts=st.lists(st.integers(0, 300), max_size=5),
)  # fmt: skip
def test_exactly_so_many_are_drawn_whatever_the_pieces(n, most, seed, cuts):
    """Ascending, none twice; and a larger draw of the same seed holds a smaller one."""
    keys = all_drawn(n, most, seed, cuts)
    assert len(keys) == min(most, n)
    assert (np.diff(keys) > 0).all()
    assert keys.tolist() == all_drawn(n, most, seed).tolist()
    assert set(keys) <= set(all_drawn(n, most + 10, seed))


def test_rows_that_share_their_first_bits_are_not_drawn_beyond_what_is_asked():
    """A million rows share 65,536 numbers: still exactly so many, half of them of the first half."""
    keys = all_drawn(1_000_000, 100_000, 7, cuts=range(0, 1_000_000, 60_000))
    assert len(keys) == 100_000
    assert abs((keys < 500_000).sum() - 50_000) < 5 * np.sqrt(25_000)


def test_a_draw_takes_no_memory_for_its_rows():
    """Half of four million rows, 16 MB of keys, are drawn in the memory of a few pieces."""
    pieces = lambda: (np.arange(start, start + 65_536) for start in range(0, 4_000_000, 65_536))  # noqa: E731
    tracemalloc.start()
    rows = sum(len(keys) for keys in drawn(pieces, lambda n: n // 2, 0))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 62 * 65_536 // 2
    assert peak_bytes < 8e6


def test_each_row_is_as_likely_as_any_other():
    """Over triggers, whose draws are each their own: chi-square."""
    counts = np.zeros(50)
    for trigger_key in range(1_000):
        counts[all_drawn(50, 10, seed_at(3, trigger_key))] += 1
    assert chisquare(counts).pvalue > 0.001
