"""Looks are at the same rows, however these are batched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from supervisor.triggers.looks import Looks, Span
from supervisor.triggers.policy import Batch, StreamStart

SECOND_US = 1_000_000
steps = st.lists(st.integers(0, 4) | st.integers(20, 60), min_size=1, max_size=40)


def looked(every, times, first_key, cuts):
    """The keys of all looks at a stream that is cut into batches."""
    looks = Looks(Span("").deserialize(every), StreamStart(first_key=first_key, event_time_us=int(times[0])))
    all_rows = Batch(first_key=first_key, timestamps_us=times, event_time_us=times)
    borders = sorted({0, *(min(cut, len(times)) for cut in cuts), len(times)})
    found = []
    for start, stop in zip(borders, borders[1:], strict=False):
        batch = all_rows.part(first_key + start, first_key + stop)
        while (key := looks.first(batch)) is not None:
            found.append(key)
            if key + 1 == batch.stop_key:
                break
            batch = batch.part(key + 1, batch.stop_key)
    return found


@given(steps=steps, cuts=st.lists(st.integers(0, 40), max_size=8), first_key=st.integers(0, 99), n=st.integers(1, 9))
def test_looks_are_every_n_rows_or_at_the_first_row_of_a_period(steps, cuts, first_key, n):
    """Of rows: n, 2n, …; of event time: each row in a later period than the row before it."""
    times = np.cumsum(steps) * SECOND_US
    assert looked(n, times, first_key, cuts) == list(range(first_key + n - 1, first_key + len(times), n))
    periods = (times - times[0]) // (n * SECOND_US)
    begin = [first_key + row for row in range(1, len(times)) if periods[row] > periods[row - 1]]
    assert looked(f"{n}s", times, first_key, cuts) == begin


def test_a_span_is_written_as_it_was_read():
    """Rows as a number, event time as a duration; what is neither is refused."""
    span = Span("")
    assert [span.written(span.deserialize(given)) for given in (500, "7d")] == [500, "7d"]
    for wrong in (True, 0, 1.5, "often"):
        with pytest.raises(ValidationError):
            span.deserialize(wrong)
