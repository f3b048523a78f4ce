"""What was lost is made anew: which triggers go back to selection or training, and what that needs beside them."""

from __future__ import annotations

from collections.abc import Collection

from shared.ids import TriggerId
from supervisor.core.failures import tasks_of_model
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase


def remake(state: RunState, lost_training_sets: Collection[TriggerId], lost_models: Collection[TriggerId]) -> RunState:
    """Put triggers back to where their artifacts were lost. A model that is there stays, also without its set; of a
    trigger that failed nothing is needed.

    A training that continues from the model before needs that, so models that were retired are made again, too, back to
    one that still is there. Trainings under way that were to continue from a lost model begin again after it.
    """
    models = {*lost_models, *(index for lost in lost_models for index in _retired_before(state, lost))}
    for index in sorted({*lost_training_sets, *models}):
        if state.trigger(index).phase.without_model:
            continue
        unmade = index in models or state.trigger(index).model is None
        state = _put_back(state, index, selection=index in lost_training_sets, training=unmade)
    for open_task in list(state.tasks.values()):
        index = open_task.task.trigger_id
        if (
            index in state.triggers
            and state.trigger(index).phase is Phase.TRAINING
            and _waits_for_model_before(state, index)
        ):
            state = _put_back(state, index, selection=False, training=True)
    return state


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
