"""Guard max_wait: where no trigger comes, rows wait only so long by the clock."""

from __future__ import annotations

import numpy as np
from streams import SECOND_US, decided, rows

from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart, Trigger

MINUTE_US = 60 * SECOND_US
QUIET = {"policy": "data_amount", "every": 1000, "max_wait": "10m"}


def waiting(block=None, rows_there=37):
    """A policy whose rows have come, and its state."""
    policy = policy_of(TriggerBlock("").deserialize(block or QUIET), StreamStart(first_key=5, event_time_us=0))
    batch = rows(np.arange(rows_there) * SECOND_US, first_key=5)
    return policy, policy.observe(batch, policy.begin()).state


def polled(policy, state, minutes, key=41):
    """Decisions at polls, as (minute, key, reason), and the state."""
    made = []
    for minute in minutes:
        observed = policy.quiet(minute * MINUTE_US, key, 7, state)
        state = observed.state
        if observed.decision is not None:
            assert observed.decision.timestamp_us == 7
            made.append((minute, observed.decision.key, observed.decision.reason))
    return made, state


def test_rows_that_wait_are_a_trigger():
    """From the first poll that sees them on, also where further ones come; not again before as much time has passed."""
    policy, state = waiting()
    made, state = polled(policy, state, range(3, 13))
    assert made == []
    made, state = polled(policy, state, range(13, 34), key=44)
    reason = "no trigger for 10m of wall time, 40 rows wait"
    assert made == [(13, 44, reason), (23, 44, reason), (33, 44, reason)]


def test_a_trigger_ends_the_wait():
    """Whoever fired it: where no row is behind it none waits, else those wait from now on."""
    policy, state = waiting()
    _, state = polled(policy, state, [0, 9])
    state = policy.fired(Trigger(number=0, key=41, timestamp_us=7), state)
    made, state = polled(policy, state, [20, 40])
    assert made == []
    made, _ = polled(policy, state, [41, 50, 51], key=42)
    assert made == [(51, 42, "no trigger for 10m of wall time, 1 row waits")]


def test_a_clock_that_is_set_back_ends_no_wait():
    """It is waited from then on."""
    policy, state = waiting()
    made, _ = polled(policy, state, [100, 2, 11, 12])
    assert [minute for minute, *_ in made] == [12]


def test_a_replay_knows_no_wait():
    """Without polls it changes nothing."""
    policy, _ = waiting()
    assert not decided(policy, rows(np.arange(999) * 9_000 * SECOND_US, first_key=5), [])


def test_it_is_above_cool_down():
    """That keeps what the policy decides; a row that has waited too long is a trigger all the same."""
    policy, state = waiting({**QUIET, "cool_down": "9d"})
    state = policy.fired(Trigger(number=0, key=40, timestamp_us=7), state)
    made, _ = polled(policy, state, [0, 10])
    assert [key for _, key, _ in made] == [41]
