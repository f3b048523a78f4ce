"""With `label_delay` a trigger knows the labels of the rows that are old enough by then, and of no other."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import RunFailedError
from shared.ids import TriggerId
from supervisor.core.events import Fired
from supervisor.run.observe.labelling import Delayed

ROWS = 300


def known_by_hand(times, key, delay):
    """The last row up to a trigger's that is as old as the delay there; None if there is none."""
    known = [row for row in range(key + 1) if times[row] + delay <= times[key]]
    return known[-1] if known else None


def fired(times, key):
    """A trigger at a row."""
    return Fired(id=TriggerId(0), key=key, timestamp_us=int(times[key]), reason="")


@pytest.mark.parametrize("delay", [1, 5, 60, 10_000])
@pytest.mark.parametrize("seed", range(6))
def test_what_a_trigger_knows_does_not_depend_on_batches(seed, delay):
    """At any row of a batch, and at the one before it; ties of event time are known together."""
    dice = np.random.default_rng(seed)
    times = np.cumsum(dice.integers(0, 4, ROWS))
    labelling, start = Delayed(delay), 0
    while start < ROWS:
        stop = min(start + int(dice.integers(1, 60)), ROWS)
        labelling.observe(start, times[start:stop], None)
        for key in sorted({max(start - 1, 0), *dice.integers(start, stop, 5).tolist()}):
            known, row = labelling.at(fired(times, key)), known_by_hand(times, key, delay)
            assert (known.key, known.event_time_us) == (row, None if row is None else times[row])
        settled = known_by_hand(times, stop - 1, delay)
        assert labelling.settled.key == (-1 if settled is None else settled)
        assert labelling.waiting == stop - 1 - labelling.settled.key
        start = stop


def test_a_trigger_at_rows_that_went_by_is_refused():
    """What was known there is forgotten, and to guess would be to leak."""
    labelling = Delayed(5)
    labelling.observe(0, np.arange(10), None)
    labelling.observe(10, np.arange(10, 20), None)
    assert labelling.at(fired(np.arange(20), 9)).key == 4
    with pytest.raises(RunFailedError, match="wants a trigger at key 8, behind which rows from key 10 on"):
        labelling.at(fired(np.arange(20), 8))
