"""Ranges of keys that are left out, and those that no longer are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.events import Violated
from supervisor.core.set_aside import note_violations, without
from supervisor.core.stream import Stream

borders = st.sets(st.integers(0, 60), max_size=12).map(sorted)


def ranges(found):
    """Ascending and apart, of borders."""
    return tuple((first, stop - 1) for first, stop in zip(found[::2], found[1::2], strict=False))


def keys(found):
    """All that lie in them."""
    return [key for first, last in found for key in range(first, last + 1)]


@given(borders.map(ranges), borders.map(ranges))
def test_what_is_released_is_what_is_no_longer_left_out(before, now):
    """Also where a range was put together of some that are released and some that are not."""
    found = without(before, now)
    assert keys(found) == [key for key in keys(before) if key not in keys(now)]
    assert all(first <= last for first, last in found)


def test_stretches_that_adjoin_are_one_range():
    """A feed that stays broken for months is a few numbers in each message."""
    violated = [Violated(first_key=10 * n, last_key=10 * n + 9, on_violation="hold", why="") for n in (1, 2, 3, 5)]
    stream, told = note_violations(violated, Stream())
    assert stream.left_out == ((10, 39), (50, 59))
    assert (len(stream.set_aside), len(told)) == (4, 4)
