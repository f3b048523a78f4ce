"""Policy schedule fires when event time reaches a moment of its cron expression, by the clocks of its zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import HOUR_US, decided, rows

from shared.timestamps import format_timestamp, parse_timestamp_us
from supervisor.triggers.looks.cron import Cron
from supervisor.triggers.policy import StreamStart
from supervisor.triggers.schedule import Schedule

MONDAYS_AT_3 = {"cron": "0 3 * * 1", "timezone": "UTC"}


def moments(expression, zone, after, count=3):
    """The next ones, to the minute, in UTC."""
    cron, moment_us, found = Cron(expression, zone), parse_timestamp_us(after), []
    for _ in range(count):
        moment_us = cron.next_us(moment_us)
        found.append(format_timestamp(moment_us)[5:16].replace("T", " "))
    return found


@given(
    steps_us=st.lists(st.integers(-HOUR_US, 40 * HOUR_US) | st.just(0), min_size=1, max_size=40),
    start=st.datetimes(datetime(1969, 12, 1), datetime(2030, 1, 1)),
    cuts=st.lists(st.integers(0, 40), max_size=8),
)
def test_it_fires_on_the_row_that_reaches_a_moment(steps_us, start, cuts):
    """However they are batched: a trigger for each row with a Monday's 3:00 since the row before, which is its last."""
    start_us = parse_timestamp_us(start.isoformat())
    times = start_us + np.maximum.accumulate(np.cumsum(steps_us))
    weeks = (times - parse_timestamp_us("2024-01-01T03:00:00")) // (168 * HOUR_US)
    expected = [(7 + int(row), int(times[row])) for row in np.flatnonzero(np.diff(weeks))]
    policy = Schedule(MONDAYS_AT_3, StreamStart(first_key=7, event_time_us=int(times[0])))
    found = decided(policy, rows(times, first_key=7), cuts)
    assert [(decision.key, decision.timestamp_us) for decision in found] == expected


@given(
    after=st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1)),
    hour=st.sampled_from(["*", "*/5", "2", "0-3,22"]),
    minute=st.sampled_from(["*/7", "0", "59"]),
    day=st.sampled_from(["*", "13", "*/10"]),
)
def test_the_next_moment_is_the_first_that_fits(after, hour, minute, day):
    """As found minute by minute."""
    moment = after.replace(second=0, microsecond=0, tzinfo=UTC) + timedelta(minutes=1)
    hours = {"*": range(24), "*/5": range(0, 24, 5), "2": [2], "0-3,22": [0, 1, 2, 3, 22]}[hour]
    minutes = {"*/7": range(0, 60, 7), "0": [0], "59": [59]}[minute]
    days = {"*": range(1, 32), "13": [13], "*/10": [1, 11, 21, 31]}[day]
    while not (moment.hour in hours and moment.minute in minutes and moment.day in days):
        moment += (
            timedelta(minutes=1)
            if moment.hour in hours and moment.day in days
            else timedelta(minutes=60 - moment.minute)
        )
    cron = Cron(f"{minute} {hour} {day} * *", "UTC")
    assert cron.next_us(parse_timestamp_us(after.isoformat())) == parse_timestamp_us(moment.isoformat())


def test_clocks_that_change():
    """What they skip comes when they go on; what they show twice comes once, unless it is of each hour."""
    assert moments("30 2 * * *", "Europe/Zurich", "2026-03-28T12:00") == ["03-29 01:00", "03-30 00:30", "03-31 00:30"]
    assert moments("30 2 * * *", "Europe/Zurich", "2026-10-24T12:00") == ["10-25 00:30", "10-26 01:30", "10-27 01:30"]
    assert moments("0 * * * *", "Europe/Zurich", "2026-10-24T23:30") == ["10-25 00:00", "10-25 01:00", "10-25 02:00"]
    assert moments("@daily", "America/Havana", "2026-10-31T12:00", 2) == ["11-01 04:00", "11-02 05:00"]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("60 3 * * *", "has 60 for the minute, which is 0 to 59; write such as"),
        ("0 3 * * moon", "has moon for the day of the week, which is 0 to 7, or sun to sat"),
        ("0 3 * *", "has 4 fields, not five"),
        ("0 0 3 * * 1", "has 6 fields, not five"),
        ("", "has 0 fields"),
        ("@reboot", "has 1 fields"),
        ("R 3 * * *", "has R in it, which leaves a moment to chance"),
        ("H(0-5) 3 * * *", "leaves a moment to chance"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        (5, "is not a text"),
    ],
)
def test_what_has_no_moment_is_refused_at_its_key(expression, told):
    """With its value, the reason, and one that can be written."""
    with pytest.raises(ValidationError) as refused:
        Schedule.Schema().load({"cron": expression})
    [sentence] = refused.value.messages["cron"]
    assert repr(expression) in sentence
    assert told in sentence
    assert 'write such as "0 3 * * 1" for Mondays at 3:00.' in sentence


def test_zones_are_known_ones():
    """The zone's name is checked where all others are; UTC is what is meant without."""
    with pytest.raises(ValidationError, match="did you mean Europe/Zurich"):
        Schedule.Schema().load({"cron": "@daily", "timezone": "Zurich"})
    assert Schedule.Schema().load({"cron": "@daily"}) == {"cron": "@daily", "timezone": "UTC"}


def test_it_says_what_it_waits_for():
    """The moment; nothing where no further one can be written."""
    policy = Schedule(MONDAYS_AT_3, StreamStart(first_key=0, event_time_us=0))
    assert policy.waits_for(1, 0, {}) == "the next trigger when event time reaches 1970-01-05T03:00:00.000000Z"
    last_us = parse_timestamp_us("9999-12-31T23:59:59")
    assert policy.waits_for(1, last_us, {}) == ""
    at_the_end = Schedule(MONDAYS_AT_3, StreamStart(first_key=0, event_time_us=last_us - 5))
    assert not decided(at_the_end, rows(np.array([last_us - 5, last_us])), [])
