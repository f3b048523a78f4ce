"""What has become possible: publish selections, trainings, decisions and evaluations in the order of the triggers.

Each kind of work has a cursor in the state that only moves forward, so that all of this costs O(1) for an event. (Only
where artifacts were lost does a cursor go back, to make them anew.)
"""

from __future__ import annotations

from shared.artifacts import ArtifactRef
from shared.ids import TriggerId, task_id
from shared.messages.tasks import GatherTask, ModelRef, SelectTask, TrainTask, Watermarks
from supervisor.core.attempts import model_ref, who, with_chord
from supervisor.core.classes import classes_known
from supervisor.core.commands import End, Publish, PublishChord
from supervisor.core.deciding import decide
from supervisor.core.label_times import known_at, watermarks
from supervisor.core.open_tasks import OpenTask
from supervisor.core.questions import ask
from supervisor.core.scoring import score_baseline, score_window
from supervisor.core.set_aside import without
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase


def advance(state: RunState) -> Step:
    """Publish all that can be published now, and end the run when nothing is left."""
    effects: list[Effect] = []
    moved = True
    while moved:  # what one kind has done may be what another waited for
        moved = False
        for kind in (ask, _select, _train, decide, score_window, score_baseline):
            while (step := kind(state)) is not None:
                state, more = step
                effects += more
                moved = True
    if state.stream.ended and not state.tasks and state.to.score == state.to.train == len(state.triggers):
        effects.append(End(status="finished", reason="the stream ended and every model is scored"))
    return state, effects


def _select(state: RunState) -> Step | None:
    """Selections go one after the other: each reads the strategy's state that the one before left."""
    index = state.to.select
    if index >= len(state.triggers):
        return None
    if state.trigger(index).phase is not Phase.WAITING:  # put together, or it stands behind one that is made anew
        return state.moved(select=index + 1), []
    if index > 0 and state.trigger(index - 1).phase in (Phase.WAITING, Phase.SELECTING):
        return None
    if not _selection_is_due(state, index):
        return None
    trigger = state.trigger(index)
    task = SelectTask(
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
    )
    identifier = task_id(state.run_id, TriggerId(index), "select")
    state = state.with_trigger(index, phase=Phase.SELECTING).with_attempt(index, task.attempt)
    state = state.with_task(identifier, OpenTask(task=task)).moved(select=index + 1)
    return state, [Publish(task_id=identifier, task=task)]


def _selection_is_due(state: RunState, index: int) -> bool:
    """A few training sets may wait for a worker; where triggers are coalesced, none, as its rows may still grow."""
    if not state.coalesces:
        return index - state.to.train < state.settings.max_in_flight
    before = state.before(index)
    published = before is None or before.phase in (Phase.TRAINING, Phase.COMMITTED)
    return published and (_in_turn(state, index) or not state.settings.use_previous_model)


def _previous(state: RunState, index: int) -> tuple[Watermarks, ...]:
    """The triggers before this one that the strategy wants to know of, of those not coalesced; oldest first."""
    found, left_out = list[Watermarks](), state.trigger(index).left_out
    while index > 0 and len(found) < state.settings.earlier_triggers:
        index -= 1
        if state.trigger(index).phase is not Phase.COALESCED:
            before = state.trigger(index)
            found.append(watermarks(before.fired, released=without(before.left_out, left_out)))
    return tuple(reversed(found))


def _train(state: RunState) -> Step | None:
    """Trainings that continue from the previous model wait for it; others run side by side."""
    index = state.to.train
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if trigger.phase.over:
        return state.moved(train=index + 1), []
    if trigger.phase is not Phase.SELECTED or trigger.training_set is None:
        return None
    previous = None
    if state.settings.use_previous_model:
        if not _in_turn(state, index):
            return None
        previous = _newest_model_before(state, index)
    elif state.tasks.count("gather") >= state.settings.max_in_flight:
        return None
    chord = _training(state, index, trigger.training_set, previous)
    state = state.with_trigger(index, phase=Phase.TRAINING).with_attempt(index, chord.body.attempt)
    state = with_chord(state, chord)
    return state.moved(train=index + 1), [chord]


def _training(state: RunState, index: int, training_set: ArtifactRef, previous: ModelRef | None) -> PublishChord:
    """The members of a training, and what makes one model of them."""
    of_trigger, headers = who(state, index), []
    for member in range(state.settings.members):
        train = TrainTask(
            **of_trigger,
            member=member,
            training_set=training_set,
            labels=known_at(state.trigger(index).fired),
            trigger_key=state.trigger(index).fired.key,
            previous_model=previous.object if previous else None,
            device=state.settings.training_device,
        )
        headers.append((task_id(state.run_id, TriggerId(index), "train", member), train))
    body_id = task_id(state.run_id, TriggerId(index), "gather")
    return PublishChord(headers=tuple(headers), body_id=body_id, body=GatherTask(**of_trigger))


def _in_turn(state: RunState, index: int) -> bool:
    """Whether every earlier trigger has its model, or never will."""
    before = state.before(index)
    return before is None or before.phase is Phase.COMMITTED


def _newest_model_before(state: RunState, index: int) -> ModelRef | None:
    """The model that a training whose turn it is continues from."""
    before = state.before(index)
    return None if before is None else model_ref(state, before.fired.id)


def at_rest(state: RunState) -> bool:
    """Whether observing may go on: the triggers that wait are few, so memory stays flat however long the stream.

    Where triggers are coalesced one waits at most, and observing never stops.
    """
    return state.coalesces or len(state.triggers) - state.to.train < max(64, 2 * state.settings.max_in_flight)
