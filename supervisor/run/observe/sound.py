"""Whether what a trigger policy gives is something that a run can carry out: it may be anybody's code."""

from __future__ import annotations

import operator
from typing import Any

import msgspec

from shared.errors import RunFailedError
from shared.ids import TriggerId
from supervisor.core.seen import Asked, Fired
from supervisor.triggers.policy import Batch, Decision, Observation, Question, State, TriggerPolicy


def as_journaled(whose: str, state: State) -> State:
    """What a policy remembers or asks, as the journal gives it back. Raises RunFailedError for what it cannot hold."""
    try:
        found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(state), type=dict[str, Any])
    except (TypeError, msgspec.MsgspecError) as error:
        raise RunFailedError(f"{whose} holds what JSON cannot: {error}.") from error
    return found


def observation_of(observed: Any, who: str) -> Observation:
    """What a policy has returned, if it is that. Raises RunFailedError."""
    if not isinstance(observed, Observation):
        raise RunFailedError(f"{who} returned {observed!r}; it returns an Observation.")
    return observed


def seen_by(observed: Observation, batch: Batch, *, who: str) -> int:
    """The last of these rows that a policy has seen. Raises RunFailedError."""
    last_key = batch.stop_key - 1
    seen_key = last_key if observed.seen_key is None else operator.index(observed.seen_key)
    if not batch.first_key <= seen_key <= last_key:
        raise RunFailedError(
            f"{who} was given the rows with keys {batch.first_key} to {last_key} and says that the last it has seen is "
            f"{seen_key}; it is one of them."
        )
    return seen_key


def fired_by(decision: Decision, number: TriggerId, *, who: str, after: int, before: int) -> Fired:
    """The trigger that a policy's decision makes. Raises RunFailedError for one that no run could carry out."""
    try:
        key, timestamp_us = operator.index(decision.key), operator.index(decision.timestamp_us)
    except (TypeError, AttributeError):
        raise RunFailedError(f"{who} decided {decision!r}; a decision has a whole key and timestamp_us.") from None
    if not after < key < before:
        raise RunFailedError(
            f"{who} wants a trigger at key {key}, but the keys from {after + 1} to {before - 1} are those that have "
            "come since its last; decisions come in key order."
        )
    return Fired(id=number, key=key, timestamp_us=timestamp_us, reason=str(decision.reason))


def asked_by(question: Question, policy: TriggerPolicy, key: int, *, who: str) -> Asked:
    """What a worker is asked; `key`: the last row that the policy has seen. Raises RunFailedError."""
    if question.key != key or not policy.asks:
        but = f"the last row it has seen is {key}" if policy.asks else "its class does not say that it `asks`"
        raise RunFailedError(f"{who} asks a question at key {question.key}, but {but}.")
    return Asked(
        key=key,
        timestamp_us=int(question.timestamp_us),
        detector=question.detector,
        options=as_journaled(f"a question of {who}", question.options),
        needs_model=question.needs_model,
    )
