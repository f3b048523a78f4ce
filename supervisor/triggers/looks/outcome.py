"""What a look comes to: a decision at the row that was looked at, or a near miss."""

from __future__ import annotations

from supervisor.triggers.policy import Decision, NearMiss, Observation, State


def decided(key: int, timestamp_us: int, reason: str, state: State) -> Observation:
    """Retrain on the rows up to this one, at this event time; rows behind it were not seen."""
    decision = Decision(key=key, timestamp_us=timestamp_us, reason=reason)
    return Observation(state=state, decision=decision, seen_key=key)


def missed(key: int, reason: str, state: State) -> Observation:
    """Nothing is decided at this row."""
    return Observation(state=state, near_misses=(NearMiss(key=key, reason=reason),))
