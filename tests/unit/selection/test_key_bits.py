"""A set of keys in a bit each is the set."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workers.selection.key_bits import KeyBits

FIRST = 1_000
keys = st.lists(st.integers(0, 100))


@given(added=st.lists(keys), asked=keys, rows=st.integers(1, 50), size=st.integers(0, 80))
def test_it_holds_what_was_added(added, asked, rows, size):
    """Whatever the order and however often; of keys beyond the range none."""
    bits = KeyBits(FIRST, FIRST + size)
    for some in added:
        bits.add(np.array(some, np.int64) + FIRST - 10)
    there = {key + FIRST - 10 for some in added for key in some} & set(range(FIRST, FIRST + size))
    wanted = np.array(asked, np.int64) + FIRST - 10
    assert bits.among(wanted).tolist() == [key in there for key in wanted.tolist()]
    pieces = list(bits.pieces(rows))
    assert [key for piece in pieces for key in piece.tolist()] == sorted(there)
    assert all(len(piece) == rows for piece in pieces[:-1])


@given(added=keys, start=st.integers(-5, 105), stop=st.integers(-5, 105))
def test_a_stretch_of_it(added, start, stop):
    """Ascending, wherever it begins and ends."""
    bits = KeyBits(FIRST, FIRST + 101)
    bits.add(np.array(added, np.int64) + FIRST)
    assert bits.between(FIRST + start, FIRST + stop).tolist() == [
        key + FIRST for key in sorted(set(added)) if start <= key < stop
    ]
