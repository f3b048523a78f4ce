"""Selections go out in the order of the triggers: each goes on from what the strategy kept before."""

from __future__ import annotations

from collections.abc import Iterable

from shared.ids import TriggerId, task_id
from shared.messages.tasks import SelectTask, Watermarks
from supervisor.core.attempts import model_ref, who
from supervisor.core.classes import classes_known
from supervisor.core.commands import Publish
from supervisor.core.label_times import known_at, watermarks
from supervisor.core.open_tasks import OpenTask
from supervisor.core.set_aside import without
from supervisor.core.state import RunState
from supervisor.core.step import Step
from supervisor.core.trigger_state import Phase, TriggerState


def select(state: RunState) -> Step | None:
    """The next selection, once it may go out and what it reads is there."""
    index = state.to.select
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if trigger.phase is not Phase.WAITING and not trigger.restoring:  # it stands behind one that is made anew
        if trigger.phase.without_model:
            state = state.but(selecting_again=state.selecting_again - {index})
        return state.moved(select=index + 1), []
    if index > 0 and _is_being_selected(state.trigger(index - 1)):
        return None
    observed = state.observed_before(index)
    state = state.with_trigger(index, turn=_turn(trigger, observed))
    if (observed is not None and observed.state_gone) or not (trigger.restoring or _is_due(state, index)):
        return None
    asked = _asked(state, index)
    if asked is not None and state.trigger(asked).model is None:
        return None
    state = state.with_trigger(index, chosen_by=asked)
    if not trigger.restoring:
        state = state.with_trigger(index, phase=Phase.SELECTING)
    task = _task(state, index, observed)
    identifier = task_id(state.run_id, TriggerId(index), "select")
    state = state.with_attempt(index, task.attempt).with_task(identifier, OpenTask(task=task))
    return state.moved(select=index + 1), [Publish(task_id=identifier, task=task)]


def in_turn(state: RunState, index: int) -> bool:
    """Whether every earlier trigger has its model, or never will."""
    before = state.before(index)
    return before is None or before.phase is Phase.COMMITTED


def asked_by(state: RunState, selections: Iterable[int]) -> set[int]:
    """Whose models these ask, as far as that is settled."""
    asked = (state.trigger(index).chosen_by for index in selections)
    return {int(one) for one in asked if one is not None}


def _is_being_selected(trigger: TriggerState) -> bool:
    return trigger.phase in (Phase.WAITING, Phase.SELECTING) or trigger.restoring


def _turn(trigger: TriggerState, before: TriggerState | None) -> int:
    """How many triggers before selected something: the same where the selection is done again."""
    if trigger.training_set is not None:
        return trigger.turn
    return 0 if before is None else before.turn + 1


def _reads_model(state: RunState, index: int) -> bool:
    return state.settings.reads_model and state.settings.reads_model_at(state.trigger(index).turn)


def _is_due(state: RunState, index: int) -> bool:
    """A few training sets may wait for a worker; where triggers are coalesced, none, as its rows may still grow.

    In a replay what the current model is must not depend on how fast the fleet is.
    """
    if _reads_model(state, index) and state.experiment and not in_turn(state, index):
        return False
    if not state.coalesces:
        return index - state.to.train < state.settings.max_in_flight
    before = state.before(index)
    published = before is None or before.phase in (Phase.TRAINING, Phase.COMMITTED)
    return published and (in_turn(state, index) or not state.settings.use_previous_model)


def _asked(state: RunState, index: int) -> TriggerId | None:
    """Whose model the selection asks: the one that it asked before, or the newest there is of an earlier trigger.

    O(triggers that wait for their model).
    """
    trigger = state.trigger(index)
    if trigger.training_set is not None:  # so it is done again
        return trigger.chosen_by
    if not _reads_model(state, index):
        return None
    before = trigger.before
    while before is not None and not state.trigger(before).was_committed:  # a lost one is made anew
        before = state.trigger(before).before
    return None if before is None else TriggerId(before)


def _task(state: RunState, index: int, observed: TriggerState | None) -> SelectTask:
    trigger = state.trigger(index)
    asked = trigger.chosen_by
    return SelectTask(
        **who(state, index),
        first_key=state.first_usable_key,
        labels=known_at(trigger.fired),
        previous=_previous(state, index),
        trigger_key=trigger.fired.key,
        trigger_timestamp_us=trigger.fired.timestamp_us,
        labelled_key=trigger.fired.labelled_key,
        first_labelled_key=state.trigger(0).fired.labelled_key,
        classes=classes_known(state, index - 1),
        left_out=trigger.left_out,
        observed=None if observed is None else _seen_by(observed, trigger),
        state=None if observed is None else observed.state,
        model=None if asked is None else model_ref(state, asked),
        device=state.settings.training_device,
        turn=trigger.turn,
    )


def _previous(state: RunState, index: int) -> tuple[Watermarks, ...]:
    """The triggers before this one that the strategy wants to know of, of those not coalesced; oldest first."""
    found, trigger = list[Watermarks](), state.trigger(index)
    while index > 0 and len(found) < state.settings.earlier_triggers:
        index -= 1
        if state.trigger(index).phase is not Phase.COALESCED:
            found.append(_seen_by(state.trigger(index), trigger))
    return tuple(reversed(found))


def _seen_by(before: TriggerState, trigger: TriggerState) -> Watermarks:
    """How far an earlier trigger saw, as a later one that has other rows set aside is told."""
    return watermarks(before.fired, released=without(before.left_out, trigger.left_out))
