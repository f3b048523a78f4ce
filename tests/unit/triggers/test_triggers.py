"""Triggers and slices are exact, however the rows are batched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import SECOND_US, decided, pieces, rows

from shared.config.schema.trigger import TriggerBlock
from shared.plugins import TRIGGERS
from shared.timestamps import parse_timestamp_us
from supervisor.core.seen import Slice
from supervisor.run.observe.slicing import Slicer
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart

# Steps between rows: mostly small, now and then a gap of many periods, sometimes back in time.
steps = st.lists(st.integers(-3, 4) | st.integers(20, 60), min_size=1, max_size=40)
cuts = st.lists(st.integers(0, 40), max_size=8)
first_keys = st.integers(0, 1000)


def event_times(steps):
    """The running maximum of a walk, in microseconds."""
    return np.maximum.accumulate(np.cumsum(steps) * SECOND_US)


def built(settings, event_time_us, first_key):
    """A policy at the first row."""
    name, options = settings
    return TRIGGERS[name](options, StreamStart(first_key=first_key, event_time_us=int(event_time_us[0])))


def observe(settings, event_time_us, first_key, cuts):
    """All decisions of a policy on a stream, which it is given as a run gives it."""
    return decided(built(settings, event_time_us, first_key), rows(event_time_us, first_key), cuts)


def waits_for(settings, event_time_us, first_key, cuts):
    """What a policy waits for after a stream."""
    policy = built(settings, event_time_us, first_key)
    return policy.waits_for(first_key + len(event_time_us), int(event_time_us[-1]), policy.begin())


@given(steps=steps, cuts=cuts, first_key=first_keys)
def test_policies_say_what_they_wait_for(steps, cuts, first_key):
    """However the rows are batched: the rows there are of those it takes, or the moment when it fires next."""
    times = event_times(steps)
    told = waits_for(("data_amount", {"every": 7}), times, first_key, cuts)
    assert told == f"{len(times) % 7} of 7 rows to the next trigger"
    assert waits_for(("data_amount", {"every": 2000}), times, 0, cuts).endswith("of 2,000 rows to the next trigger")
    moment = parse_timestamp_us(waits_for(("time", {"every_s": 5.0, "anchor_us": None}), times, first_key, cuts)[-27:])
    assert (moment - times[0]) % (5 * SECOND_US) == 0
    assert times[-1] < moment <= times[-1] + 5 * SECOND_US


@pytest.mark.parametrize(
    "block",
    [
        {"policy": "time", "every": "3660000d"},
        {"policy": "performance", "every": "3660000d", "metric": "accuracy", "decide": {"policy": "drop", "by": 0.1}},
        {"policy": "cost", "every": "3660000d", "per_training_second": 1, "seconds_per_sample": 1},
    ],
)
def test_a_policy_may_wait_for_what_no_row_reaches(block):
    """The longest duration ends behind the last year that there is; a run that says so goes on."""
    policy = policy_of(TriggerBlock("").deserialize(block), StreamStart(first_key=0, event_time_us=0))
    assert policy.waits_for(1, 0, policy.begin()).endswith("when event time reaches the year 10000")


@given(steps=steps, cuts=cuts, first_key=first_keys, every=st.integers(1, 50))
def test_data_amount_fires_every_m_rows(steps, cuts, first_key, every):
    """On n rows it fires floor(n/m) times, at rows m, 2m, …, with the event time there."""
    times = event_times(steps)
    found = observe(("data_amount", {"every": every}), times, first_key, cuts)
    assert len(found) == len(times) // every
    assert [decision.key for decision in found] == [first_key + (k + 1) * every - 1 for k in range(len(found))]
    assert [decision.timestamp_us for decision in found] == [times[decision.key - first_key] for decision in found]


@given(steps=steps, cuts=cuts, first_key=first_keys, every=st.integers(1, 9), anchor=st.none() | st.integers(-30, 90))
def test_time_fires_on_the_row_that_enters_a_period(steps, cuts, first_key, every, anchor):
    """A trigger for each row in a later period than the row before it, one a gap; its last row is the row before."""
    times = event_times(steps)
    start_us = int(times[0]) if anchor is None else anchor * SECOND_US
    expected = []
    for row in range(1, len(times)):
        if (times[row] - start_us) // (every * SECOND_US) > (times[row - 1] - start_us) // (every * SECOND_US):
            expected.append((first_key + row - 1, times[row - 1]))
    settings = ("time", {"every_s": every, "anchor_us": None if anchor is None else start_us})
    found = observe(settings, times, first_key, cuts)
    assert [(decision.key, decision.timestamp_us) for decision in found] == expected


def test_reasons_are_words():
    """A decision says why in words and numbers."""
    times = np.array([0, 1, 2]) * SECOND_US
    assert observe(("data_amount", {"every": 2}), times, 5, [])[0].reason == "2 rows since key 5"
    reason = observe(("time", {"every_s": 2, "anchor_us": None}), times, 5, [])[0].reason
    assert reason == "event time reached 1970-01-01T00:00:02.000000Z"


@given(steps=steps, cuts=cuts, first_key=first_keys, every=st.integers(1, 9))
def test_slices_share_out_every_row(steps, cuts, first_key, every):
    """The slices are the runs of rows in one period from the first row on; periods without rows are none."""
    times, every_us = event_times(steps), every * SECOND_US
    expected = {}
    for row, time in enumerate(times.tolist()):
        expected.setdefault((time - int(times[0])) // every_us, []).append(row)
    slicer, found = Slicer("weekly", every_us), []
    for batch in pieces(rows(times, first_key), cuts):
        found += slicer.observe(batch)
    found += slicer.close(first_key + len(times) - 1)
    assert found == [
        Slice(
            window="weekly",
            start_us=int(times[0]) + number * every_us,
            first_key=first_key + taken[0],
            last_key=first_key + taken[-1],
            event_time_us=int(times[taken[0] - 1]) if taken[0] else None,
            last_us=int(times[taken[-1]]),
        )
        for number, taken in expected.items()
    ]
