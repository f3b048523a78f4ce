"""What has become possible: publish selections, trainings, decisions and evaluations in the order of the triggers.

Each kind of work has a cursor in the state that only moves forward, so that all of this costs O(1) for an event. (Only
where artifacts were lost does a cursor go back, to make them anew.)
"""

from __future__ import annotations

from shared.artifacts import ArtifactRef
from shared.ids import TriggerId, task_id
from shared.messages.tasks import GatherTask, ModelRef, TrainTask
from supervisor.core.attempts import model_ref, who, with_chord
from supervisor.core.commands import End, PublishChord
from supervisor.core.deciding import decide
from supervisor.core.estimating import estimate_window
from supervisor.core.label_times import known_at
from supervisor.core.questions import ask
from supervisor.core.scoring import score_baseline, score_window
from supervisor.core.selecting import in_turn, select
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase


def advance(state: RunState) -> Step:
    """Publish all that can be published now, and end the run when nothing is left."""
    effects: list[Effect] = []
    moved = True
    while moved:  # what one kind has done may be what another waited for
        moved = False
        for kind in (ask, select, _train, decide, estimate_window, score_window, score_baseline):
            while (step := kind(state)) is not None:
                state, more = step
                effects += more
                moved = True
    done = state.to.score == state.to.train == state.to.select == len(state.triggers)
    if state.stream.ended and not state.tasks and done:
        effects.append(End(status="finished", reason="the stream ended and every model is scored"))
    return state, effects


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
        if not in_turn(state, index):
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


def _newest_model_before(state: RunState, index: int) -> ModelRef | None:
    """The model that a training whose turn it is continues from."""
    before = state.before(index)
    return None if before is None else model_ref(state, before.fired.id)


def at_rest(state: RunState) -> bool:
    """Whether observing may go on: the triggers that wait are few, so memory stays flat however long the stream.

    Where triggers are coalesced one waits at most, and observing never stops.
    """
    return state.coalesces or len(state.triggers) - state.to.train < max(64, 2 * state.settings.max_in_flight)
