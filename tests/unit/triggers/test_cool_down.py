"""Guard cool_down lets no decision pass that is too near to the last trigger, whoever fired that."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import HOUR_US, SECOND_US, decided, play, rows

from shared.config.resolved import as_written
from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart, Trigger

BLOCK = TriggerBlock("")


def cooled(every, cool_down, *, trained_key=None, first_key=0):
    """Policy data_amount, kept so."""
    start = StreamStart(first_key=first_key, event_time_us=0, trained_key=trained_key)
    return policy_of(BLOCK.deserialize({"policy": "data_amount", "every": every, "cool_down": cool_down}), start)


@given(every=st.integers(1, 9), cool_down=st.integers(1, 30), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_triggers_are_so_far_apart(every, cool_down, cuts):
    """However rows are batched: the first passes, then each that is the distance or more behind the one before."""
    batch, expected = rows(np.arange(60) * SECOND_US), []
    for key in range(every - 1, 60, every):
        if not expected or key - expected[-1] >= cool_down:
            expected.append(key)
    for written in (cool_down, f"{cool_down}s"):
        assert [one.key for one in decided(cooled(every, written), batch, cuts)] == expected


def test_what_is_kept_says_how_near_it_was():
    """Near misses have the policy's reason and the numbers, and so has what is waited for."""
    batch = rows(np.arange(12) * 10 * HOUR_US)
    by_rows, by_time = cooled(5, 6), cooled(5, "3d")
    assert [(one.key, one.reason) for one in play(by_rows, batch).near_misses] == [
        (9, "5 rows since key 5; cool_down: 5 of 6 rows since the trigger at key 4")
    ]
    played = play(by_time, batch)
    [missed] = played.near_misses
    assert missed.reason == "5 rows since key 5; cool_down: 2d of 3d since the trigger at key 4"
    waits = by_time.waits_for(12, int(batch.event_time_us[-1]), played.state)
    assert waits == "2 of 5 rows to the next trigger; cooling down, 2.9d of 3d"
    assert by_time.waits_for(13, 12 * 10 * HOUR_US, played.state) == "3 of 5 rows to the next trigger"


def test_triggers_of_others_count():
    """One by hand, and the one of all rows that were there before."""
    batch = rows(np.arange(10) * SECOND_US)
    policy = cooled(5, 4)
    state = policy.fired(Trigger(number=0, key=1, timestamp_us=SECOND_US), policy.begin())
    observed = policy.observe(batch, state)
    assert (observed.decision, observed.seen_key) == (None, 4)
    everything = cooled(5, 6, trained_key=99, first_key=100)
    assert [one.key for one in decided(everything, rows(batch.event_time_us, 100), [])] == [109]


def test_spans_are_rows_or_time():
    """Written back as they were; all else is refused with both ways to write one."""
    for written in (5000, "2d", "36h", "0.5s"):
        block = {"policy": "data_amount", "every": 5, "cool_down": written}
        assert as_written(BLOCK, BLOCK.deserialize(block)) == block
    with pytest.raises(ValidationError, match="neither a number of rows, such as 5000, nor a duration, such as 2d"):
        BLOCK.deserialize({"policy": "data_amount", "every": 5, "cool_down": True})
