"""What a worker's report changes: it ends a task, hands it back, or answers for an attempt that does not count."""

from __future__ import annotations

from functools import singledispatch

import msgspec

from shared.artifacts import committed
from shared.ids import TriggerId, parts_of
from shared.messages.reports import (
    AnyReport,
    Baselined,
    Checked,
    Claimed,
    Decided,
    Detected,
    Evaluated,
    Failed,
    Gathered,
    Progress,
    Released,
    Report,
    Selected,
    Trained,
)
from supervisor.core.attempts import note_header, publish_held
from supervisor.core.classes import with_classes
from supervisor.core.commands import CommitModel, CommitState, CommitTrainingSet
from supervisor.core.deciding import decided
from supervisor.core.failures import give_up, undone
from supervisor.core.notices import ResultCounted, TaskTaken
from supervisor.core.open_tasks import OpenTask, evaluations_of
from supervisor.core.questions import answered
from supervisor.core.scoring import score_slices
from supervisor.core.state import Baselines, RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase


def reported(report: AnyReport, state: RunState) -> Step:
    """The report of the attempt that counts: the first valid one is the task's; all others are passed over."""
    if not isinstance(report, Report) or isinstance(report, Checked | Progress):
        return state, []  # it answers for no task of the run
    open_task = state.tasks.get(report.task_id)
    if open_task is None or report.attempt != open_task.task.attempt:
        return state, []  # a zombie's, or repeated
    if isinstance(report, Claimed):
        return _claimed(state, report, open_task)
    if isinstance(report, Failed | Released) or not open_task.ripe:
        return undone(state, report, open_task)
    effects: list[Effect] = [ResultCounted(report=report)]
    if isinstance(report, Selected):
        state = state.but(selecting_again=state.selecting_again - {open_task.task.trigger_id})
        if state.trigger(open_task.task.trigger_id).restoring:
            effects = []  # it was told when its training set was written
        state = with_classes(state, report).with_trigger(parts_of(report.task_id).trigger_id, samples=report.samples)
    if isinstance(report, Selected) and report.samples == 0:
        state, more = _empty(state, report)
        return state, effects + more
    state = state.but(evaluations_done=state.evaluations_done + evaluations_of(open_task.task))
    state = note_header(state.without_tasks(report.task_id), report, open_task)
    state, accepted = _accept(report, state, parts_of(report.task_id).trigger_id)
    effects += accepted
    if isinstance(report, Gathered) or open_task.chord is not None:  # nothing else makes a task runnable
        state, held = publish_held(state)
        effects += held
    return state, effects


def _empty(state: RunState, report: Selected) -> Step:
    """Nothing is trained, and the model before stays the newest; one that there was before cannot be made anew."""
    parts = parts_of(report.task_id)
    trigger = state.trigger(parts.trigger_id)
    if trigger.was_committed or trigger.state_gone:
        sentence = f"its training set is empty: the strategy selected none of the {report.rows_read:,} rows it read."
        return give_up(state, report.task_id, sentence, resumable=False)
    return state.without_tasks(report.task_id).left_out(parts.trigger_id, phase=Phase.EMPTY), []


def _claimed(state: RunState, report: Claimed, open_task: OpenTask) -> Step:
    if open_task.worker is not None:
        return state, []
    state = state.with_task(report.task_id, msgspec.structs.replace(open_task, worker=report.worker))
    return state, [TaskTaken(task_id=report.task_id, worker=report.worker)]


@singledispatch
def _accept(report: AnyReport, state: RunState, trigger_id: TriggerId) -> Step:
    return state, []


@_accept.register
def _(report: Selected, state: RunState, trigger_id: TriggerId) -> Step:
    restored = state.trigger(trigger_id).restoring
    state, kept = _with_state(report, state, trigger_id)
    if restored:  # its training set stands
        return state, kept
    training_set = committed(report.training_set, f"{trigger_id}.parquet")
    commits = [CommitTrainingSet(trigger_id=trigger_id, training_set=report.training_set), *kept]
    if state.trigger(trigger_id).model is None:
        return state.with_trigger(trigger_id, phase=Phase.SELECTED, training_set=training_set), commits
    state = state.with_trigger(trigger_id, phase=Phase.COMMITTED, training_set=training_set)
    state, scored = score_slices(state, trigger_id)  # those that closed while its lost set was made anew
    return state, [*commits, *scored]


def _with_state(report: Selected, state: RunState, trigger_id: TriggerId) -> Step:
    """What the strategy keeps is the next selection's to read."""
    kept = None if report.state is None else committed(report.state, f"{trigger_id}.msgpack")
    state = state.with_trigger(trigger_id, state=kept, state_gone=False, restoring=False)
    others = [one for one in state.states_kept if one != trigger_id]
    if report.state is None:
        return state.but(states_kept=tuple(others)), []
    state = state.but(states_kept=tuple(sorted((*others, trigger_id))))
    return state, [CommitState(trigger_id=trigger_id, state=report.state)]


@_accept.register
def _(report: Gathered, state: RunState, trigger_id: TriggerId) -> Step:
    model = committed(report.model, "model.safetensors")
    state = state.with_models(made=state.models.made + (not state.trigger(trigger_id).was_committed))
    state = state.with_trigger(trigger_id, phase=Phase.COMMITTED, model=model, was_committed=True)
    if state.models.first is None or trigger_id < state.models.first:
        state = state.with_models(first=trigger_id)
    if state.settings.models_kept is not None:
        state = state.with_models(kept=state.models.kept | {trigger_id})
    state, scored = score_slices(state, trigger_id)
    return state, [CommitModel(trigger_id=trigger_id, model=report.model), *scored]


@_accept.register
def _(report: Decided, state: RunState, trigger_id: TriggerId) -> Step:
    return decided(state, report, trigger_id), []


@_accept.register
def _(report: Baselined, state: RunState, trigger_id: TriggerId) -> Step:
    return state.but(baselines=Baselines(history=report.history)), []


@_accept.register
def _(report: Detected, state: RunState, trigger_id: TriggerId) -> Step:
    return answered(state, parts_of(report.task_id).number, report.answer), []


@_accept.register
def _(report: Trained, state: RunState, trigger_id: TriggerId) -> Step:
    return state.with_trigger(trigger_id, train_s=state.trigger(trigger_id).train_s + report.train_s), []


@_accept.register
def _(report: Evaluated, state: RunState, trigger_id: TriggerId) -> Step:
    return state, []
