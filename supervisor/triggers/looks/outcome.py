"""What a look comes to: a decision at the row that was looked at, or a near miss."""

from __future__ import annotations

from supervisor.triggers.policy import Answer, Decision, NearMiss, Observation, Question, State


def decided(key: int, timestamp_us: int, reason: str, state: State) -> Observation:
    """Retrain on the rows up to this one, at this event time; rows behind it were not seen."""
    decision = Decision(key=key, timestamp_us=timestamp_us, reason=reason)
    return Observation(state=state, decision=decision, seen_key=key)


def missed(key: int, reason: str, state: State) -> Observation:
    """Nothing is decided at this row."""
    return Observation(state=state, near_misses=(NearMiss(key=key, reason=reason),))


def without_model(question: Question, answer: Answer, newest: int, state: State) -> Observation:
    """The newest trigger made no model: another is worth firing once a label of a row behind it is known."""
    reason = f"there is no model yet: trigger {newest} made none"
    if answer["known"] == 0:
        return missed(question.key, f"{reason}, and no label of a row behind it is known", state)
    return decided(question.key, question.timestamp_us, reason, state)
