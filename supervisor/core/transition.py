"""`state, event → state, commands`: what each event changes, and then whatever has become possible."""

from __future__ import annotations

from functools import singledispatch

import msgspec

from shared.artifacts import committed
from shared.ids import TaskId, TriggerId, parts_of
from shared.messages import (
    AnyReport,
    Baselined,
    Claimed,
    Decided,
    Evaluated,
    Failed,
    Gathered,
    Released,
    Report,
    Selected,
    Trained,
    result_of,
)
from supervisor.core.advance import advance, scored_on_slices
from supervisor.core.commands import AnyCommand, CommitModel, CommitTrainingSet, End, Republish
from supervisor.core.events import (
    AnyEvent,
    Ended,
    Event,
    LeaseExpired,
    Observed,
    Reported,
    Resumed,
    RunStarted,
    Slice,
    StopAsked,
    StreamEnded,
    Unclaimed,
)
from supervisor.core.state import OpenTask, Phase, RunState, TriggerState

Step = tuple[RunState, list[AnyCommand]]


def transition(state: RunState, event: AnyEvent) -> Step:
    """The next state, and what is to be done, in order, once the event is on disk."""
    state, commands = _apply(event, state)
    if state.status != "running" or state.stopping:
        return state, commands
    state, more = advance(state)
    return state, commands + more


@singledispatch
def _apply(event: Event, state: RunState) -> Step:
    return state, []


@_apply.register
def _(event: RunStarted, state: RunState) -> Step:
    return state.but(
        run_id=event.run_id,
        experiment=event.mode == "experiment",
        first_key=event.first_key,
        stop_key=event.stop_key,
        train_on_everything=event.train_on_everything,
        maximum_triggers=event.maximum_triggers,
        observed_key=event.first_key - 1,
    ), []


@_apply.register
def _(event: Resumed, state: RunState) -> Step:
    """Whatever was published and not reported is published again: its worker may have died with the supervisor."""
    state = state.but(stopping=False, status="running")
    commands: list[AnyCommand] = []
    for task_id, open_task in sorted(state.tasks.items()):
        if open_task.runnable:
            state, command = _new_attempt(state, task_id, open_task)
            commands.append(command)
    return state, commands


@_apply.register
def _(event: Observed, state: RunState) -> Step:
    triggers = state.triggers
    for fired in event.triggers:
        previous = triggers.get(fired.id - 1)
        first_key = previous.fired.key + 1 if previous else state.first_usable_key
        triggers = triggers.set(fired.id, TriggerState(fired=fired, first_key=first_key))
    state = state.but(triggers=triggers, observed_key=event.key, event_time_us=event.event_time_us)
    return _close(state, event.slices)


@_apply.register
def _(event: StreamEnded, state: RunState) -> Step:
    return _close(state.but(stream_ended=True, observed_key=event.key), event.slices)


@_apply.register
def _(event: LeaseExpired | Unclaimed, state: RunState) -> Step:
    open_task = state.tasks.get(event.task_id)
    if open_task is None or open_task.task.attempt != event.attempt:
        return state, []
    state, command = _new_attempt(state, event.task_id, open_task)
    return state, [command]


@_apply.register
def _(event: StopAsked, state: RunState) -> Step:
    return state.but(stopping=True), []


@_apply.register
def _(event: Ended, state: RunState) -> Step:
    return state.but(status=event.status), []


@_apply.register
def _(event: Reported, state: RunState) -> Step:
    state = state.but(report_position=event.position)
    report = event.report
    if not isinstance(report, Report):
        return state, []
    open_task = state.tasks.get(report.task_id)
    if open_task is None or report.attempt != open_task.task.attempt:
        return state, []  # a zombie's, or repeated
    if isinstance(report, Claimed):
        if open_task.worker is None:
            claimed = msgspec.structs.replace(open_task, worker=report.worker)
            state = state.but(tasks=state.tasks.set(report.task_id, claimed))
        return state, []
    if isinstance(report, Released):
        state, command = _new_attempt(state, report.task_id, open_task)
        return state, [] if state.stopping else [command]
    state = _note_for_body(state.but(tasks=state.tasks.delete(report.task_id)), report, open_task)
    trigger_id = parts_of(report.task_id).trigger_id
    if isinstance(report, Failed):
        return _failed(state, trigger_id, report)
    return _accept(report, state, trigger_id)


def _note_for_body(state: RunState, report: Report, header: OpenTask) -> RunState:
    """Keep a header's result for the body, should the supervisor have to publish it."""
    chord = header.chord
    if chord is None or header.is_body or chord.body_id not in state.tasks:
        return state
    body = state.tasks[chord.body_id]
    results = body.results.set(report.task_id, result_of(report))
    return state.but(tasks=state.tasks.set(chord.body_id, msgspec.structs.replace(body, results=results)))


@singledispatch
def _accept(report: AnyReport, state: RunState, trigger_id: TriggerId) -> Step:
    return state, []


@_accept.register
def _(report: Selected, state: RunState, trigger_id: TriggerId) -> Step:
    if report.samples == 0:
        seen = report.rows_read
        sentence = f"its training set is empty: the strategy selected none of the {seen} rows it read"
        return _give_up(state, trigger_id, sentence, resumable=False)
    training_set = committed(report.training_set, f"{trigger_id}.parquet")
    commit = CommitTrainingSet(trigger_id=trigger_id, training_set=report.training_set)
    return state.with_trigger(trigger_id, phase=Phase.SELECTED, training_set=training_set), [commit]


@_accept.register
def _(report: Gathered, state: RunState, trigger_id: TriggerId) -> Step:
    state = state.with_trigger(trigger_id, phase=Phase.COMMITTED, model=committed(report.model, "model.safetensors"))
    if state.first_model is None or trigger_id < state.first_model:
        state = state.but(first_model=trigger_id)
    commands: list[AnyCommand] = [CommitModel(trigger_id=trigger_id, model=report.model)]
    closed = [state.slices[index] for index in range(len(state.slices))]
    state, more = scored_on_slices(state, trigger_id, closed)
    return state, commands + more


@_accept.register
def _(report: Decided, state: RunState, trigger_id: TriggerId) -> Step:
    deployed = trigger_id if report.deployed else state.deployed
    return state.with_trigger(trigger_id, decided=True, deployed_after=deployed).but(deployed=deployed), []


@_accept.register
def _(report: Baselined, state: RunState, trigger_id: TriggerId) -> Step:
    return state.but(history=report.history, baseline_running=False), []


@_accept.register
def _(report: Trained | Evaluated, state: RunState, trigger_id: TriggerId) -> Step:
    return state, []


def _failed(state: RunState, trigger_id: TriggerId, report: Failed) -> Step:
    """A failed evaluation ends the run; a failed selection or training may be survived."""
    if state.trigger(trigger_id).phase is Phase.FAILED:
        return state, []  # the gather of a training that failed
    return _give_up(state, trigger_id, report.sentence, resumable=report.resumable)


def _give_up(state: RunState, trigger_id: TriggerId, sentence: str, *, resumable: bool) -> Step:
    trained = state.trigger(trigger_id).phase is Phase.COMMITTED
    if resumable or trained or not state.settings.continue_on_failure:
        return state, [End(status="failed", reason=f"trigger {trigger_id}: {sentence}")]
    return state.with_trigger(trigger_id, phase=Phase.FAILED, error=sentence), []


def _close(state: RunState, slices: tuple[Slice, ...]) -> Step:
    """Note closed slices, and have every model that is committed scored on them."""
    if not slices:
        return state, []
    closed = state.slices
    for new in slices:
        closed = closed.set(len(closed), new)
    state = state.but(slices=closed)
    commands: list[AnyCommand] = []
    for index in range(len(state.triggers)):
        if state.trigger(index).phase is Phase.COMMITTED:
            state, more = scored_on_slices(state, TriggerId(index), list(slices))
            commands += more
    return state, commands


def _new_attempt(state: RunState, task_id: TaskId, open_task: OpenTask) -> tuple[RunState, Republish]:
    task = msgspec.structs.replace(open_task.task, attempt=open_task.task.attempt + 1)
    again = msgspec.structs.replace(open_task, task=task, worker=None)
    results = None
    if again.is_body and again.chord is not None:
        results = tuple(again.results.get(header_id) for header_id, _ in again.chord.headers)
    command = Republish(task_id=task_id, task=task, chord=again.chord, results=results)
    return state.but(tasks=state.tasks.set(task_id, again)), command
