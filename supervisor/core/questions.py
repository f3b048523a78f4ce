"""Questions of the trigger policy: what it asks and remembers is noted, a worker is asked, its answer kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from shared.ids import TriggerId, task_id
from shared.messages.tasks import DetectTask, KeyRange, ModelRef
from supervisor.core.attempts import Who, model_ref, who
from supervisor.core.commands import Publish
from supervisor.core.events import Observed
from supervisor.core.label_times import known_at
from supervisor.core.notices import RowsNotAsExpected, TriggerConsidered, TriggerFired
from supervisor.core.open_tasks import OpenTask
from supervisor.core.seen import Asked
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.stream import OpenQuestion


def note_policy(event: Observed, state: RunState) -> Step:
    """What the policy remembers from these rows on, or from an answer, and what it asks; near misses are told."""
    question, number = state.stream.question, state.stream.questions
    if event.answered:
        question = None
    if event.question is not None:
        question, number = OpenQuestion(number=number, asked=event.question), number + 1
    policy = state.stream.policy if event.policy is None else event.policy
    near_misses = state.stream.near_misses + len(event.considered)
    state = state.with_stream(policy=policy, question=question, questions=number, near_misses=near_misses)
    told: list[Effect] = [TriggerConsidered(considered=one) for one in event.considered]
    return state, told


def in_key_order(told: Iterable[Effect]) -> list[Effect]:
    """Near misses, violations and triggers as the stream has them; at one key as they are given.

    What has no key belongs to what is before it.
    """
    placed: list[tuple[int, Effect]] = []
    for one in told:
        placed.append((_key(one, placed[-1][0] if placed else -1), one))
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


def _key(told: Effect, before: int) -> int:
    match told:
        case TriggerConsidered():
            return told.considered.key
        case RowsNotAsExpected():
            return told.violated.last_key
        case TriggerFired():
            return told.fired.key
    return before


def ask(state: RunState) -> Step | None:
    """Publish the open question, if it is not; one about the current model once it is known which that is.

    Its task belongs to the trigger that the answer may lead to, and has the question's own number.
    """
    question = state.stream.question
    if question is None or question.task is not None:
        return None
    asked, model = question.asked, None
    if asked.needs_model:
        if state.experiment and not _is_settled(state):
            return None
        model = _current_model(state)
    trigger = len(state.triggers)
    task = detect_task(asked, who(state, trigger), question.number, state.stream.left_out, model)
    identifier = task_id(state.run_id, TriggerId(trigger), "detect", question.number)
    state = state.with_stream(question=msgspec.structs.replace(question, task=identifier))
    return state.with_task(identifier, OpenTask(task=task)), [Publish(task_id=identifier, task=task)]


def detect_task(
    asked: Asked, of_trigger: Who, number: int, left_out: tuple[KeyRange, ...], model: ModelRef | None
) -> DetectTask:
    """What a worker is told of a question. `of_trigger`: run, trigger, setup and attempt."""
    return DetectTask(
        **of_trigger,
        labels=known_at(asked),
        labelled_key=asked.labelled_key,
        number=number,
        key=asked.key,
        timestamp_us=asked.timestamp_us,
        detector=asked.detector,
        options=asked.options,
        left_out=left_out,
        model=model,
    )


def answered(state: RunState, number: int, answer: dict[str, Any]) -> RunState:
    """Keep a worker's answer until the policy has heard it."""
    question = state.stream.question
    if question is None or question.number != number:
        return state
    return state.with_stream(question=msgspec.structs.replace(question, answer=answer))


def _is_settled(state: RunState) -> bool:
    """Whether the newest trigger that may get a model has it."""
    return state.last is None or state.trigger(state.last).model is not None


def _current_model(state: RunState) -> ModelRef | None:
    """That of the newest trigger that has one. O(triggers that wait for theirs)."""
    index = state.last
    while index is not None and state.trigger(index).model is None:
        index = state.trigger(index).before
    return None if index is None else model_ref(state, index)
