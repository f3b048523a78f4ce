"""Event time is the largest timestamp so far; a moment is found at the first row that passes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dataset.event_time import first_key_after, running_event_time

times = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


class Rows:
    """Timestamps by key; `asked` notes how many rows each question was about."""

    def __init__(self, timestamps_us):
        self.all = np.asarray(timestamps_us, np.int64)
        self.asked = []

    def timestamps_us(self, first_key, stop_key):
        """The timestamps of a range of keys."""
        self.asked.append(stop_key - first_key)
        return self.all[first_key:stop_key]


@given(timestamps=times, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_batches_do_not_show_in_event_time(timestamps, cuts):
    """Carried from batch to batch, empty ones too, it is what it would be in one piece."""
    whole, so_far, found = np.array(timestamps, np.int64), None, []
    for piece in np.split(whole, sorted(min(cut, len(whole)) for cut in cuts)):
        found += running_event_time(piece, so_far).tolist()
        so_far = found[-1] if found else None
    assert found == running_event_time(whole, None).tolist()


@given(timestamps=times)
def test_event_time_never_runs_back_and_is_always_some_rows(timestamps):
    """A late row takes the event time of the row before it."""
    found = running_event_time(np.array(timestamps, np.int64), None)
    assert (np.diff(found) >= 0).all()
    assert (found >= timestamps).all()
    assert set(found.tolist()) <= set(timestamps)


def test_event_time_leaves_the_timestamps_alone():
    """The rows' own timestamps are still there to be read."""
    timestamps = np.array([3, 1, 2])
    running_event_time(timestamps, 5)
    assert timestamps.tolist() == [3, 1, 2]


@given(timestamps=times, moment=st.integers(-60, 60), data=st.data())
def test_the_first_later_row_is_found(timestamps, moment, data):
    """In any range: the first key whose timestamp is later, the end of the range if there is none."""
    first = data.draw(st.integers(0, len(timestamps)))
    stop = data.draw(st.integers(first, len(timestamps)))
    expected = next((key for key in range(first, stop) if timestamps[key] > moment), stop)
    assert first_key_after(Rows(timestamps), moment, first, stop) == expected


@pytest.mark.parametrize("key", [0, 99_999, 100_000, 100_001, 249_999, 250_000])
def test_a_long_range_is_read_in_pieces(key):
    """The row is found on either side of a piece's border, and memory holds 100,000 timestamps at most."""
    rows = Rows(np.arange(250_000) >= key)
    assert first_key_after(rows, 0, 0, 250_000) == key
    assert max(rows.asked) <= 100_000
    assert sum(rows.asked) <= key + 100_000
