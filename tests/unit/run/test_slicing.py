"""The slices of an `every` window are the same at any batch borders, and share out the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dataset.event_time import running_event_time
from supervisor.run.observe.slicing import Slicer
from supervisor.triggers.policy import Batch

# Steps between rows: mostly small, now and then a gap of many slices, sometimes back in time.
walks = st.lists(st.integers(-9, 5) | st.integers(20, 70), min_size=1, max_size=40).map(np.cumsum)
cuts = st.lists(st.integers(0, 40), max_size=8)
first_keys = st.integers(0, 1000)
lengths = st.integers(1, 12)


class Stream:
    """Rows that come in batches, and the slices that were closed so far."""

    def __init__(self, every_us, first_key=0):
        self.slicer = Slicer("months", every_us)
        self.key, self.event_time_us, self.slices = first_key, None, []

    def bring(self, timestamps):
        """Some more rows; the slices that they close."""
        timestamps = np.asarray(timestamps, np.int64)
        event_time = running_event_time(timestamps, self.event_time_us)
        if len(timestamps) == 0:
            return []
        batch = Batch(
            first_key=self.key, timestamps_us=timestamps, event_time_us=event_time, before_us=self.event_time_us
        )
        closed = self.slicer.observe(batch)
        self.key, self.event_time_us = self.key + len(timestamps), int(event_time[-1])
        self.slices += closed
        return closed

    def end(self):
        """All slices, the open one with them."""
        return self.slices + self.slicer.close(self.key - 1)


def in_batches(timestamps, cuts, every_us, first_key=0):
    """The slices of a stream that is cut at these rows."""
    stream = Stream(every_us, first_key)
    for piece in np.split(timestamps, sorted(min(cut, len(timestamps)) for cut in cuts)):
        stream.bring(piece)
    return stream.end()


@given(timestamps=walks, cuts=cuts, every_us=lengths, first_key=first_keys)
def test_batch_borders_do_not_show(timestamps, cuts, every_us, first_key):
    """One batch or many: the slices are equal to the last field."""
    assert in_batches(timestamps, cuts, every_us, first_key) == in_batches(timestamps, [], every_us, first_key)


@given(timestamps=walks, cuts=cuts, every_us=lengths, first_key=first_keys)
def test_the_slices_share_out_the_rows(timestamps, cuts, every_us, first_key):
    """Each begins where the one before ended, the first at the first row, the last ends at the last row."""
    slices = in_batches(timestamps, cuts, every_us, first_key)
    borders = [first_key, *(piece.last_key + 1 for piece in slices)]
    assert [piece.first_key for piece in slices] == borders[:-1]
    assert borders[-1] == first_key + len(timestamps)


@given(timestamps=walks, cuts=cuts, every_us=lengths, first_key=first_keys)
def test_every_rows_event_time_lies_in_its_slice(timestamps, cuts, every_us, first_key):
    """A slice covers [start, start + every), a whole number of lengths after the first row."""
    event_time = np.maximum.accumulate(timestamps)
    for piece in in_batches(timestamps, cuts, every_us, first_key):
        inside = event_time[piece.first_key - first_key : piece.last_key - first_key + 1] - piece.start_us
        assert ((inside >= 0) & (inside < every_us)).all()
        assert (piece.start_us - timestamps[0]) % every_us == 0


@given(timestamps=walks, cuts=cuts, every_us=lengths, first_key=first_keys)
def test_no_slice_is_empty_or_there_twice(timestamps, cuts, every_us, first_key):
    """Stretches of time without rows are no slices; starts only go forward."""
    slices = in_batches(timestamps, cuts, every_us, first_key)
    starts = [piece.start_us for piece in slices]
    assert starts == sorted(set(starts))
    assert all(piece.first_key <= piece.last_key for piece in slices)


@given(timestamps=walks, cuts=cuts, every_us=lengths, first_key=first_keys)
def test_a_slice_knows_the_event_time_before_it(timestamps, cuts, every_us, first_key):
    """That is what a worker needs to tell its rows' event times; the first slice has nothing before it."""
    event_time = np.maximum.accumulate(timestamps)
    for piece in in_batches(timestamps, cuts, every_us, first_key):
        row = piece.first_key - first_key
        assert piece.event_time_us == (int(event_time[row - 1]) if row else None)


def test_a_gap_leaves_no_empty_slices():
    """After ten silent periods the next slice is the one the row is in."""
    stream = Stream(every_us=10)
    assert [piece.start_us for piece in stream.bring([3, 5, 110, 111])] == [3]
    assert [(piece.start_us, piece.first_key, piece.last_key) for piece in stream.end()] == [(3, 0, 1), (103, 2, 3)]


def test_a_slice_closes_with_the_first_row_beyond_it():
    """A row at its very end is beyond it; the row before is not."""
    stream = Stream(every_us=10)
    assert stream.bring([0, 9]) == []
    (closed,) = stream.bring([10])
    assert (closed.window, closed.start_us, closed.first_key, closed.last_key) == ("months", 0, 0, 1)


@pytest.mark.parametrize("batches", [[[0, 5, 12, 3, 13]], [[0, 5, 12], [3], [13]]])
def test_a_late_row_never_reopens_a_slice(batches):
    """It counts to the slice that is open when it comes."""
    stream = Stream(every_us=10)
    for batch in batches:
        stream.bring(batch)
    assert [(piece.first_key, piece.last_key) for piece in stream.end()] == [(0, 1), (2, 4)]


@given(timestamps=walks, late=st.lists(st.integers(-500, 0), max_size=5), every_us=lengths)
def test_late_rows_close_nothing(timestamps, late, every_us):
    """However late they are, what is closed stays as it is and the open slice takes them."""
    stream = Stream(every_us)
    stream.bring(timestamps)
    before = stream.end()
    assert stream.bring(min(timestamps) + np.array(late, np.int64)) == []
    *closed, grown = stream.end()
    assert closed == before[:-1]
    assert grown.last_key == before[-1].last_key + len(late)


def test_closing_gives_the_open_slice_up_to_a_row():
    """At the end of the stream the rows since the last border are a slice too."""
    stream = Stream(every_us=10, first_key=100)
    stream.bring([0, 11, 12])
    (open_slice,) = stream.slicer.close(102)
    assert (open_slice.start_us, open_slice.first_key, open_slice.last_key) == (10, 101, 102)
    assert stream.slicer.close(100) == []


def test_closing_before_any_row_gives_nothing():
    """A stream without rows has no slices."""
    assert Slicer("months", 10).close(-1) == []
