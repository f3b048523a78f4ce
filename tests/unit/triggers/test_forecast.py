"""What the next training takes is forecast from those before it."""

from __future__ import annotations

import json

import pytest

from supervisor.triggers.costs.forecast import Forecast, Forecasting
from supervisor.triggers.policy import StreamStart, Training, Trigger


def after(*trainings, options=None, **start):
    """A forecast after triggers at these keys, of which so many rows were selected in so many seconds."""
    options = Forecasting().load({"measured": True} if options is None else options)
    forecast = Forecast(options, StreamStart(first_key=0, event_time_us=0, **start))
    state = forecast.begin()
    for number, (key, *_) in enumerate(trainings):
        state = forecast.fired(Trigger(number=number, key=key, timestamp_us=0), state)
    for number, (_, samples, seconds) in enumerate(trainings):
        state = forecast.trained(Training(trigger=number, samples=samples, train_s=seconds), state)
    return forecast, json.loads(json.dumps(state))


@pytest.mark.parametrize(
    ("took", "rows", "seconds"),
    [
        ([(100, 30.0)], 200, 60.0),  # in proportion
        ([(100, 30.0), (100, 50.0)], 200, 80.0),
        ([(100, 30.0), (200, 50.0)], 400, 90.0),  # along the line
        ([(100, 30.0), (200, 70.0)], 10, 10 * (100 * 30 + 200 * 70) / (100**2 + 200**2)),  # which would start below 0
        ([(100, 30.0), (200, 10.0)], 400, 20.0),  # which would fall
        ([(100, 30.0), (200, None)], 200, 60.0),  # one that was not measured tells nothing
    ],
)
def test_seconds_are_on_a_line_through_what_trainings_took(took, rows, seconds):
    """The least squares one among those whose start and slope are not below zero."""
    key, triggers = -1, []
    for samples, took_s in took:
        key += samples
        triggers.append((key, samples, took_s))
    forecast, state = after(*triggers)
    assert forecast.seconds(rows, state) == pytest.approx(seconds)


def test_seconds_are_those_of_a_sample_where_that_is_said():
    """`measured` beside it: until there is something measured."""
    for options, measured in (
        ({"seconds_per_sample": 2.0}, 20.0),
        ({"seconds_per_sample": 2.0, "measured": True}, 5.0),
    ):
        forecast, state = after(options=options)
        assert forecast.seconds(10, state) == 20.0
        forecast, state = after((9, 10, 5.0), options=options)
        assert forecast.seconds(10, state) == measured


def test_rows_are_as_large_a_share_as_lately():
    """Of those since the last trigger, or of all; on the safe side, a quarter more than the most that it was lately."""
    forecast, state = after((99, 50, 1.0), (199, 40, 1.0))
    assert (forecast.rows(299, state), forecast.rows_at_most(299, state)) == (40, 63)
    forecast, state = after((99, 50, 1.0), (199, 80, 1.0), selects_all=True)
    assert forecast.rows(299, state) == 120
    forecast, state = after((99, 90, 1.0), (199, 200, 1.0))  # `tail: 1`
    assert (forecast.rows(299, state), forecast.rows_at_most(299, state)) == (200, 200)


def test_rows_are_no_more_than_the_strategy_ever_selects():
    """A training as large as its limit does not make the next look small, where fewer rows have come."""
    forecast, state = after((99, 50, 1.0), selects_at_most=60)
    assert (forecast.rows(199, state), forecast.rows(999, state), forecast.rows_at_most(999, state)) == (50, 60, 60)
    forecast, state = after((99, 60, 1.0), selects_at_most=60)
    assert (forecast.rows(139, state), forecast.rows_at_most(139, state), forecast.rows(999, state)) == (40, 40, 60)
    forecast, state = after((99, 60, 1.0), selects_all=True, selects_at_most=60)
    assert forecast.rows(9_999, state) == 60


def test_rows_of_a_coalesced_trigger_are_those_of_the_next():
    """Its training is as large as both, and no larger a share of them."""
    forecast, state = after((99, 0, None), (199, 200, 1.0))
    assert forecast.rows(299, state) == 100
