"""What was lost is made anew: which triggers go back to selection or training, and what that needs beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shared.ids import TriggerId, task_id
from supervisor.core.failures import tasks_of_model
from supervisor.core.selecting import asked_by
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase


def remake(
    state: RunState,
    lost_training_sets: Collection[TriggerId],
    lost_models: Collection[TriggerId],
    lost_states: Collection[TriggerId] = (),
) -> RunState:
    """Put triggers back to where their artifacts were lost. A model that is there stays, also without its set; of a
    trigger that failed nothing is needed, but for what the strategy kept.

    A training that continues from the model before needs that, so models that were retired are made again, too, back to
    one that still is there. Trainings under way that were to continue from a lost model begin again after it. A
    selection needs what the strategy kept before, and the model that it asked: the same goes for these.
    """
    state = _without_states(_restoring_no_more(state), lost_states)
    sets = {index for index in lost_training_sets if not state.trigger(index).phase.without_model}
    selections = _selections(state, sets)
    models = {*lost_models, *(one for one in asked_by(state, selections) if state.trigger(one).retired)}
    models |= {index for lost in models for index in _retired_before(state, lost)}
    for index in sorted({*sets, *models}):
        if state.trigger(index).phase.without_model:
            continue
        unmade = index in models or state.trigger(index).model is None
        state = _put_back(state, index, selection=index in sets, training=unmade)
    for open_task in list(state.tasks.values()):
        index = open_task.task.trigger_id
        if (
            index in state.triggers
            and state.trigger(index).phase is Phase.TRAINING
            and _waits_for_model_before(state, index)
        ):
            state = _put_back(state, index, selection=False, training=True)
    return _restoring(state, selections).but(selecting_again=frozenset(selections))


def _put_back(state: RunState, index: int, *, selection: bool, training: bool) -> RunState:
    trigger = state.trigger(index)
    phase = Phase.WAITING if selection or trigger.training_set is None else Phase.SELECTED
    state = state.with_trigger(index, phase=phase, remade=True)
    if phase is Phase.WAITING:
        state = state.moved(select=min(state.to.select, index))
    if not training:
        return state
    state = state.without_tasks(*tasks_of_model(state, index))
    return state.with_trigger(index, model=None, retired=False, train_s=0.0).moved(train=min(state.to.train, index))


def _retired_before(state: RunState, index: int) -> list[int]:
    """The unbroken row of retired models that a training builds on, newest first."""
    found: list[int] = []
    while (before := _before(state, index)) is not None and state.trigger(before).retired:
        found.append(before)
        index = before
    return found


def _waits_for_model_before(state: RunState, index: int) -> bool:
    before = _before(state, index)
    return before is not None and state.trigger(before).model is None


def _before(state: RunState, index: int) -> int | None:
    """The trigger whose model a training continues from, if it continues from any."""
    return state.trigger(index).before if state.settings.use_previous_model else None


def _without_states(state: RunState, lost: Iterable[TriggerId]) -> RunState:
    """What the strategy kept after these is gone."""
    for index in lost:
        state = state.with_trigger(index, state_gone=True)
    return state.but(states_kept=tuple(one for one in state.states_kept if not state.trigger(one).state_gone))


def _restoring_no_more(state: RunState) -> RunState:
    """Another session finds out anew what is to be restored."""
    for index, trigger in state.triggers.items():
        if trigger.restoring:
            state = state.with_trigger(index, restoring=False)
            state = state.without_tasks(task_id(state.run_id, TriggerId(index), "select"))
    return state


def _selections(state: RunState, lost_sets: Iterable[int]) -> set[int]:
    """Triggers that are to be selected, and those that what they go on from is of, as far back as that is gone.

    What the next trigger will go on from is made anew, too.
    """
    waiting = [one for one, trigger in state.triggers.items() if not trigger.phase.selected]
    found, left = set[int](), [*lost_sets, *waiting]
    if not state.stream.ended:
        left.append(len(state.triggers))
    while left:
        index = left.pop()
        if index in state.triggers:
            found.add(index)
        before = state.observed_before(index)
        if before is not None and before.state_gone and before.fired.id not in found:
            left.append(before.fired.id)
    return found


def _restoring(state: RunState, selections: Iterable[int]) -> RunState:
    """Do selections again: those that are over, for what the strategy kept; those under way that go on from it."""
    for index in sorted(selections):
        before, phase = state.observed_before(index), state.trigger(index).phase
        if phase is Phase.SELECTING and (before is None or not before.state_gone):
            continue
        if phase.selected:
            state = state.with_trigger(index, restoring=True, remade=True)
        else:
            state = state.with_trigger(index, phase=Phase.WAITING, remade=state.trigger(index).last_attempt > 0)
        state = state.without_tasks(task_id(state.run_id, TriggerId(index), "select"))
        state = state.moved(select=min(state.to.select, index))
    return state
