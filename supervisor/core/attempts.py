"""Attempts at open tasks: how they are numbered, when one is published again and when it is held back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import msgspec

from shared.ids import RunId, TaskId, TriggerId
from shared.messages.reports import Report, result_of
from shared.messages.tasks import ModelRef
from supervisor.core.commands import PublishChord, Republish
from supervisor.core.open_tasks import OpenTask
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step


class Who(TypedDict):
    """What every task of a trigger begins with."""

    run_id: RunId
    trigger_id: TriggerId
    setup_version: int
    attempt: int


def who(state: RunState, index: int) -> Who:
    """That of the first attempt at a task of this trigger."""
    return Who(
        run_id=state.run_id,
        trigger_id=TriggerId(index),
        setup_version=state.setup_version,
        attempt=state.first_attempt(index),
    )


def with_chord(state: RunState, chord: PublishChord) -> RunState:
    """This state with a chord's headers and body open."""
    for identifier, task in chord.headers:
        state = state.with_task(identifier, OpenTask(task=task, chord=chord))
    return state.with_task(chord.body_id, OpenTask(task=chord.body, chord=chord))


def model_ref(state: RunState, index: int) -> ModelRef:
    """The committed model of a trigger."""
    trigger = state.trigger(index)
    assert trigger.model is not None, f"trigger {index} has no model"
    return ModelRef(trigger_id=trigger.fired.id, object=trigger.model)


def again(state: RunState, task_id: TaskId, *, delay_s: float = 0.0) -> Step:
    """Make the next attempt the only one that counts, and publish it.

    A header takes the body of its chord along: one that runs on what an earlier attempt returned must not count.
    A body whose headers are not all in, or a task whose model is being made anew, is held until it can run.
    """
    state = _renumbered(state, task_id)
    open_task = state.tasks[task_id]
    if open_task.chord is not None and not open_task.is_body and open_task.chord.body_id in state.tasks:
        body_id = open_task.chord.body_id
        state = _renumbered(state, body_id).but(held=state.held | {body_id})
    if not can_run(state, task_id):
        return state.but(held=state.held | {task_id}), []
    return state, [_republish(state, task_id, delay_s)]


def _renumbered(state: RunState, task_id: TaskId) -> RunState:
    """The next attempt at a task is the one that is waited for."""
    open_task = state.tasks[task_id]
    attempt = max(open_task.task.attempt, state.attempts_above) + 1
    task = msgspec.structs.replace(open_task.task, attempt=attempt, setup_version=state.setup_version)
    state = state.with_task(task_id, msgspec.structs.replace(open_task, task=task, worker=None))
    return state.with_attempt(task.trigger_id, task.attempt)


def again_all(state: RunState, tasks: Iterable[TaskId]) -> Step:
    """The next attempt of each, in the order of the ids."""
    commands: list[Effect] = []
    for task_id in sorted(tasks):
        state, more = again(state, task_id)
        commands += more
    return state, commands


def publish_held(state: RunState) -> Step:
    """Publish what was held and can run now; with nothing held, which is the rule, this costs nothing."""
    commands: list[Effect] = []
    for task_id in sorted(state.held):
        if task_id not in state.tasks:
            state = state.but(held=state.held - {task_id})
        elif can_run(state, task_id):
            state = _with_present_models(state.but(held=state.held - {task_id}), task_id)
            commands.append(_republish(state, task_id, 0.0))
    return state, commands


def note_header(state: RunState, report: Report, header: OpenTask) -> RunState:
    """Keep a header's result for the body, should the supervisor have to publish it."""
    chord = header.chord
    if chord is None or header.is_body or chord.body_id not in state.tasks:
        return state
    body = state.tasks[chord.body_id]
    results = body.results.set(report.task_id, result_of(report))
    return state.with_task(chord.body_id, msgspec.structs.replace(body, results=results))


def count_loss(state: RunState, task_id: TaskId) -> tuple[RunState, int, bool]:
    """One worker more was lost over a task: how many by now, and whether `training.attempts` lets another one try."""
    open_task = state.tasks[task_id]
    losses = open_task.losses + 1
    state = state.with_task(task_id, msgspec.structs.replace(open_task, losses=losses))
    return state, losses, losses < state.settings.attempts


def forgive(state: RunState) -> RunState:
    """Workers that were lost in an earlier session count no more: somebody may have mended what ended them."""
    for task_id, open_task in list(state.tasks.items()):
        if open_task.losses:
            state = state.with_task(task_id, msgspec.structs.replace(open_task, losses=0))
    return state


def can_run(state: RunState, task_id: TaskId) -> bool:
    """Whether a worker could do it now: its headers are in, and the models it names are there."""
    open_task = state.tasks[task_id]
    if open_task.is_body and not open_task.ripe:
        return False
    return all(state.trigger(model.trigger_id).model is not None for model in open_task.task.reads)


def _with_present_models(state: RunState, task_id: TaskId) -> RunState:
    """Name the models as they were made anew: on a GPU the same training may give other bytes.

    So does the body that a header sends on.
    """
    open_task = state.tasks[task_id]
    if open_task.chord is not None and not open_task.is_body and open_task.chord.body_id in state.tasks:
        state = _with_present_models(state, open_task.chord.body_id)
    present = [model_ref(state, model.trigger_id) for model in open_task.task.reads]
    return state.with_task(task_id, msgspec.structs.replace(open_task, task=open_task.task.reading(present)))


def _republish(state: RunState, task_id: TaskId, delay_s: float) -> Republish:
    open_task = state.tasks[task_id]
    chord, results = open_task.chord, None
    if chord is not None and not open_task.is_body and chord.body_id in state.tasks:
        chord = msgspec.structs.replace(chord, body=state.tasks[chord.body_id].task)  # the attempt that counts now
    if open_task.is_body and open_task.chord is not None:
        results = tuple(open_task.results.get(header_id) for header_id, _ in open_task.chord.headers)
    return Republish(task_id=task_id, task=open_task.task, chord=chord, results=results, delay_s=delay_s)
