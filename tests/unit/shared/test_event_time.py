"""Event time is the largest timestamp so far; a moment is found at the first row that passes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dataset.event_time import (
    NEVER_US,
    Horizon,
    begin_us,
    first_key_after,
    running_event_time,
    sound,
    sound_timestamps_us,
)
from shared.dataset.manifest import ManifestEntry

times = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


class Rows:
    """Timestamps by key; `asked` notes how many rows each question was about."""

    def __init__(self, timestamps_us, latest_us=2**60):
        self.all = np.asarray(timestamps_us, np.int64)
        self.latest, self.rows = latest_us, len(self.all)
        self.asked = []

    def timestamps_us(self, first_key, stop_key):
        """The timestamps of a range of keys."""
        self.asked.append(stop_key - first_key)
        return self.all[first_key:stop_key]

    def latest_us(self, first_key, stop_key):
        """The last moment at which rows of a range can be dated."""
        return np.full(stop_key - first_key, self.latest)


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


def event_times(timestamps, latest):
    """What the contract says, row by row; None where no row can be right."""
    now = next((time for time in timestamps if time <= latest), None)
    return [now := time if time <= latest and time > now else now for time in timestamps]


@given(timestamps=times, latest=st.integers(-50, 50))
def test_rows_dated_too_late_do_not_advance_event_time(timestamps, latest):
    """Each keeps the event time before it; those before the first that can be right take that one's."""
    rows = Rows(timestamps, latest)
    begun = begin_us(rows, 0)
    if begun is None:
        assert min(timestamps) > latest
    else:
        found = running_event_time(sound_timestamps_us(rows, 0, len(timestamps)), begun)
        assert found.tolist() == event_times(timestamps, latest)


@given(timestamps=times, latest=st.integers(-50, 50), moment=st.integers(-60, 60))
def test_a_moment_is_passed_by_event_time_not_by_a_timestamp(timestamps, latest, moment):
    """From the start of the stream: the first key whose event time is later."""
    rows = Rows(timestamps, latest)
    by_row = event_times(timestamps, latest)
    expected = next((key for key, time in enumerate(by_row) if time is not None and time > moment), len(timestamps))
    assert first_key_after(rows, moment, 0, len(timestamps), begin_us(rows, 0)) == expected


@pytest.mark.parametrize("key", [0, 1, 999, 1_000, 2_999, 3_000, 150_000])
def test_the_first_believable_row_is_looked_for_in_pieces(key):
    """Usually it is the first row, and little is read; behind many it is found, too."""
    times = np.full(200_000, 10)
    times[key] = 3
    rows = Rows(times, latest_us=5)
    assert begin_us(rows, 0) == 3
    assert max(rows.asked) <= 100_000
    assert sum(rows.asked) <= 1_000 + 3 * key


def test_each_file_is_judged_by_its_own_discovery():
    """The last moment of a row is when its file was found, plus future_skew; of a manifest of before, there is none."""
    about = {"size_bytes": 0, "fingerprint": ""}
    entries = [
        ManifestEntry(file="a", rows=3, first_key=0, discovered_us=1_000_000, **about),
        ManifestEntry(file="b", rows=0, first_key=3, discovered_us=2_000_000, **about),
        ManifestEntry(file="c", rows=2, first_key=3, discovered_us=3_000_000, **about),
        ManifestEntry(file="d", rows=1, first_key=5, **about),
    ]
    horizon = Horizon(entries, 0.5)
    expected = [1_500_000] * 3 + [3_500_000] * 2 + [2**63 - 1]
    for first in range(6):
        for stop in range(first, 7):
            assert horizon.latest_us(first, stop).tolist() == expected[first:stop]
    assert Horizon(entries, 3_660_000 * 86_400.0).latest_us(0, 6).min() > 3 * 10**17


def test_a_timestamp_at_the_last_moment_counts():
    """Only later ones do not."""
    assert sound(np.array([4, 5, 6]), np.array([5, 5, 5])).tolist() == [4, 5, NEVER_US]
