"""No policy takes more than the budget allows."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paid_stream import PaidStream

from supervisor.triggers.guards.budget import Budget
from supervisor.triggers.policy import Decision, Observation, StreamStart, Training, Trigger, TriggerPolicy

HOUR_S = 3600.0


class Eager(TriggerPolicy):
    """Fires every so many rows."""

    def __init__(self, every):
        self._every = every

    def observe(self, batch, state):
        """The first multiple."""
        key = batch.first_key + (-batch.first_key - 1) % self._every
        if key >= batch.stop_key:
            return Observation(state=state)
        decision = Decision(key=key, timestamp_us=batch.time_at(key), reason="eager")
        return Observation(state=state, decision=decision, seen_key=key)


def eager(every=10, trained_key=None, selects_all=False, selects_at_most=None, **options):
    """A policy that fires every so many rows, within a budget as a file has it."""
    first_key = 0 if trained_key is None else trained_key + 1
    selects = {"selects_all": selects_all, "selects_at_most": selects_at_most}
    start = StreamStart(first_key=first_key, event_time_us=0, trained_key=trained_key, **selects)
    return Budget(Budget.option.deserialize({"per": "1h", **options}), Eager(every), start)


def keys(seen):
    """Where it fired."""
    return [trigger.key for trigger in seen.fired]


def spent_s(seen, per_s, seconds):
    """At each trigger, what those of the period up to it have taken."""
    took = {one.trigger: seconds(one) for one in seen.trained}
    for last in seen.fired:
        within = [one for one in seen.fired[: last.number + 1] if one.timestamp_us > last.timestamp_us - per_s * 1e6]
        yield sum(took[one.number] for one in within)


@given(
    steps=st.lists(st.integers(-3, 60) | st.integers(1000, 5000), min_size=1, max_size=120),
    cuts=st.lists(st.integers(0, 120), max_size=8),
    every=st.integers(1, 9),
    allowed_rows=st.integers(1, 50),
)
def test_it_fires_exactly_where_the_budget_allows_it(steps, cuts, every, allowed_rows):
    """Whatever came before: trainings within the period and this one take at most the seconds that are allowed."""
    times = np.maximum.accumulate(np.maximum(np.cumsum(steps), 0))
    options = {"gpu_hours": allowed_rows * 0.1 / HOUR_S, "per": "10m", "seconds_per_sample": 0.1}
    seen = PaidStream(eager(every, **options)).run(times, cuts)
    expected = []  # key, rows
    for key in range(every - 1, len(times), every):
        rows = key - (expected[-1][0] if expected else -1)
        if rows + sum(taken for before, taken in expected if times[before] > times[key] - 600) <= allowed_rows:
            expected.append((key, rows))
    assert keys(seen) == [key for key, _ in expected]
    assert len(seen.near_misses) == len(times) // every - len(expected)


def test_the_whole_budget_can_be_spent():
    """Three tenths are three times a tenth; and a training as long ago as the period is not within it."""
    options = {"gpu_hours": 0.3 / HOUR_S, "per": "30m", "seconds_per_sample": 0.01}
    assert len(PaidStream(eager(10, **options)).run([60 * row for row in range(100)]).fired) == 10


@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.1])
@pytest.mark.parametrize(("selects_all", "limit"), [(False, None), (True, None), (False, 25), (True, 300)])
def test_it_is_never_exceeded(share, late, selects_all, limit):
    """Also where a split leaves some rows to train on, trainings still run, all rows are selected, or a limit."""
    generator = random.Random(0)
    times = np.cumsum([generator.choice([1, 10, 600]) for _ in range(5_000)])
    options = {"gpu_hours": 2, "per": "12h", "seconds_per_sample": 30 / share, "selects_all": selects_all}
    chosen = lambda rows: min(sum(generator.random() < share for _ in range(rows)), limit or rows)  # noqa: E731
    policy = eager(20, selects_at_most=limit, **options)
    stream = PaidStream(policy, selects=chosen, late=late, selects_all=selects_all)
    seen = stream.run(times)
    most = max(spent_s(seen, 12 * HOUR_S, lambda one: one.samples * 30 / share))
    assert most <= 2 * HOUR_S
    assert most > 1.7 * HOUR_S or selects_all or late or (limit and share < 1)
    assert seen.near_misses


def test_what_is_refused_is_said_in_hours():
    """What is spent, allowed and asked for; and that it will never do, where one training alone is too much."""
    refused = PaidStream(eager(gpu_hours=2, per="30d", seconds_per_sample=684)).run(range(20)).near_misses
    told = "1.9 of 2 GPU-hours of the last 30d are spent, this training would take up to 1.9"
    assert refused == [(19, f"eager; budget: {told}")]
    never = PaidStream(eager(gpu_hours=2, seconds_per_sample=800)).run(range(10)).near_misses
    told = "0 of 2 GPU-hours of the last 1h are spent, this training would take up to 2.22, more than there ever is"
    assert never[0][1].startswith(f"eager; budget: {told}: raise gpu_hours")
    policy = eager(gpu_hours=2, seconds_per_sample=1)
    assert policy.waits_for(0, 0, policy.begin()) == "0 of 2 GPU-hours of the last 1h are spent"
    small = PaidStream(eager(gpu_hours=1, per="30d", seconds_per_sample=0.0105))
    waits = small.policy.waits_for(10, 0, small.run(range(10)).state)
    assert waits == "0.105 s of 1 GPU-hour of the last 30d are spent"


def test_triggers_by_hand_count_and_are_not_stopped():
    """Whoever is at the keyboard knows better; the policy then has less."""
    options = {"gpu_hours": 1, "seconds_per_sample": 180.0}  # 20 rows an hour
    assert keys(PaidStream(eager(**options)).run(range(60))) == [9, 19]
    assert keys(PaidStream(eager(**options), by_hand=[4, 24, 49]).run(range(60))) == [4, 9, 19, 24, 49]


def test_measured_trainings_count_with_what_they_took():
    """Those that run count as they are forecast; the first alone, as nothing is known of it."""
    options = {"gpu_hours": 1, "per": "1d"}
    quick = PaidStream(eager(**options), seconds=lambda rows: 60.0 * rows).run(range(100))
    assert keys(quick) == [9, 19, 29, 39, 49, 59]
    running = PaidStream(eager(**options), seconds=lambda rows: 60.0 * rows, late=1).run(range(40))
    assert keys(running) == [9]
    assert running.near_misses[0][1].endswith("what a training takes is not known before the first one is over")


@pytest.mark.parametrize(("samples", "train_s", "counts_s"), [(10, 700.0, 700), (10, None, 600), (0, None, 0)])
def test_a_training_that_failed_counts_as_it_was_forecast(samples, train_s, counts_s):
    """Workers were busy with it, and nobody knows how long; one that selected no row took nothing."""
    policy = eager(gpu_hours=1)
    state = policy.fired(Trigger(number=0, key=9, timestamp_us=0), policy.begin())
    state = policy.trained(Training(trigger=0, samples=10, train_s=600.0), state)
    state = policy.fired(Trigger(number=1, key=19, timestamp_us=600_000_000), state)
    state = policy.trained(Training(trigger=1, samples=samples, train_s=train_s), state)
    assert state["spent"] == [[0, 0, 600.0, True], [1, 600_000_000, counts_s, True]]


def test_the_training_before_the_stream_counts():
    """`train_on_everything` is trigger 0."""
    options = {"gpu_hours": 1, "seconds_per_sample": 30.0, "per": "1d"}  # 120 rows
    before = Training(trigger=0, samples=100, train_s=None)
    seen = PaidStream(eager(trained_key=99, **options), before=before).run(range(40), first_key=100)
    assert keys(seen) == [109, 119]


def test_the_state_stays_small():
    """However many trainings there are within the period; it errs on the safe side."""
    options = {"gpu_hours": 1e6, "seconds_per_sample": 1.0, "per": "1d"}
    seen = PaidStream(eager(1, **options)).run(range(3_000))
    assert len(seen.state["spent"]) <= 257
    assert sum(one[2] for one in seen.state["spent"]) == pytest.approx(3_000)
