"""What has become possible: publish selections, trainings, decisions and evaluations in the order of the triggers.

Each kind of work has a cursor in the state that only moves forward, so that all of this costs O(1) for an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from shared.config.pipeline import Last
from shared.ids import RunId, TriggerId, task_id
from shared.messages import (
    BaselineTask,
    DecideTask,
    EvaluateTask,
    GatherTask,
    ModelRef,
    SelectTask,
    Stretch,
    TrainTask,
)
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp
from supervisor.core.commands import AnyCommand, End, Publish, PublishChord
from supervisor.core.events import Slice
from supervisor.core.state import OpenTask, Phase, RunState, TriggerState

SETUP_VERSION = 1
_STRETCHES_PER_TASK = 64  # keeps a message under ten kilobytes
Step = tuple[RunState, list[AnyCommand]]


class _Who(TypedDict):
    """What every task of a trigger begins with."""

    run_id: RunId
    trigger_id: TriggerId
    setup_version: int


def advance(state: RunState) -> Step:
    """Publish all that can be published now, and end the run when nothing is left."""
    commands: list[AnyCommand] = []
    for kind in (_select, _train, _decide, _score, _baseline):
        step = kind(state)
        while step is not None:
            state, more = step
            commands += more
            step = kind(state)
    if state.stream_ended and not state.tasks and state.to_score == len(state.triggers):
        commands.append(End(status="finished", reason="the stream ended and every model is scored"))
    return state, commands


def _select(state: RunState) -> Step | None:
    """Selections go one after the other: each reads the strategy's state that the one before left."""
    index = state.to_select
    if index >= len(state.triggers) or index - state.to_train >= state.settings.max_in_flight:
        return None
    if index > 0 and state.trigger(index - 1).phase in (Phase.WAITING, Phase.SELECTING):
        return None
    first_key = state.trigger(index).first_key
    while state.coalesces and index + 1 < len(state.triggers):
        state = state.with_trigger(index, phase=Phase.COALESCED)
        index += 1
    trigger = state.trigger(index)
    task = SelectTask(
        run_id=state.run_id,
        trigger_id=TriggerId(index),
        setup_version=SETUP_VERSION,
        first_key=state.first_usable_key,
        previous_trigger_keys=_previous_keys(state, index),
        trigger_key=trigger.fired.key,
        trigger_timestamp_us=trigger.fired.timestamp_us,
        samples_seen=trigger.fired.key - first_key + 1,
    )
    identifier = task_id(state.run_id, TriggerId(index), "select")
    state = state.with_trigger(index, phase=Phase.SELECTING, first_key=first_key)
    state = state.but(to_select=index + 1, tasks=state.tasks.set(identifier, OpenTask(task=task)))
    return state, [Publish(task_id=identifier, task=task)]


def _previous_keys(state: RunState, index: int) -> tuple[int, ...]:
    """Keys of the `tail + 1` triggers before this one that were not coalesced, oldest first."""
    keys: list[int] = []
    while index > 0 and len(keys) <= state.settings.tail:
        index -= 1
        if state.trigger(index).phase is not Phase.COALESCED:
            keys.append(state.trigger(index).fired.key)
    return tuple(reversed(keys))


def _train(state: RunState) -> Step | None:
    """Trainings that continue from the previous model wait for it; others run side by side."""
    index = state.to_train
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if trigger.phase in (Phase.FAILED, Phase.COALESCED):
        return state.but(to_train=index + 1), []
    if trigger.phase is not Phase.SELECTED or trigger.training_set is None:
        return None
    previous = None
    if state.settings.use_previous_model and index > 0:
        if not state.trigger(index - 1).phase.over:
            return None
        previous = _newest_model_before(state, index)
    elif _in_flight(state) >= state.settings.max_in_flight:
        return None
    who = _Who(run_id=state.run_id, trigger_id=TriggerId(index), setup_version=SETUP_VERSION)
    train = TrainTask(
        **who,
        member=0,
        training_set=trigger.training_set,
        trigger_key=trigger.fired.key,
        previous_model=previous.object if previous else None,
    )
    header = (task_id(state.run_id, TriggerId(index), "train"), train)
    body_id = task_id(state.run_id, TriggerId(index), "gather")
    chord = PublishChord(headers=(header,), body_id=body_id, body=GatherTask(**who))
    state = _open_chord(state.with_trigger(index, phase=Phase.TRAINING), chord)
    return state.but(to_train=index + 1), [chord]


def _in_flight(state: RunState) -> int:
    return sum(isinstance(open_task.task, GatherTask) for open_task in state.tasks.values())


def _decide(state: RunState) -> Step | None:
    """Decisions are taken in trigger order, each against what the one before left deployed."""
    index = state.to_decide
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if trigger.phase in (Phase.FAILED, Phase.COALESCED):
        return state.with_trigger(index, decided=True, deployed_after=state.deployed).but(to_decide=index + 1), []
    if trigger.phase is not Phase.COMMITTED or (index > 0 and not state.trigger(index - 1).decided):
        return None
    who = _Who(run_id=state.run_id, trigger_id=TriggerId(index), setup_version=SETUP_VERSION)
    candidate = _model(state, index)
    headers = []
    for number, window in enumerate(state.settings.gated):
        models = [candidate]
        if window.name == state.settings.gate_window and state.deployed is not None:
            models.append(_model(state, state.deployed))
        assert isinstance(window.extent, Last)
        stretch = _last(state, trigger, window.name, window.extent)
        task = EvaluateTask(**who, models=tuple(models), stretches=(stretch,))
        headers.append((task_id(state.run_id, TriggerId(index), "evaluate", number), task))
    state = state.but(to_decide=index + 1)
    if not state.settings.deploys:
        tasks = state.tasks.update({identifier: OpenTask(task=task) for identifier, task in headers})
        state = state.with_trigger(index, decided=True).but(tasks=tasks)
        return state, [Publish(task_id=identifier, task=task) for identifier, task in headers]
    body = DecideTask(**who, candidate=candidate, deployed=state.deployed)
    chord = PublishChord(headers=tuple(headers), body_id=task_id(state.run_id, TriggerId(index), "decide"), body=body)
    return _open_chord(state, chord), [chord]


def _last(state: RunState, trigger: TriggerState, name: str, extent: Last) -> Stretch:
    """The window (event time at the watermark − d, watermark]; earlier triggers spare the worker the search."""
    after_us = trigger.fired.timestamp_us - round(extent.duration_s * MICROSECONDS_PER_S)
    first_key, index = state.first_usable_key, trigger.fired.id - 1
    while index >= 0:
        if state.trigger(index).fired.timestamp_us <= after_us:
            first_key = max(first_key, state.trigger(index).fired.key + 1)
            break
        index -= 1
    return Stretch(
        window=name,
        slice="",
        first_key=first_key,
        last_key=trigger.fired.key,
        after_us=after_us,
        event_time_us=None,
    )


def _score(state: RunState) -> Step | None:
    """The rows a model met while it was the newest; on the same rows the first model and the deployed one."""
    index = state.to_score
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if not trigger.phase.over or not trigger.decided:
        return None
    if trigger.phase is not Phase.COMMITTED:
        return state.but(to_score=index + 1), []
    end = state.window_end(index)
    if end is None:
        return None
    state = state.but(to_score=index + 1)
    if end == trigger.fired.key:
        return state, []
    numbers = {n for n in (index, state.first_model, trigger.deployed_after) if n is not None}
    models = tuple(_model(state, number) for number in sorted(numbers))
    stretch = Stretch(
        window=state.settings.prequential.name,
        slice="",
        first_key=trigger.fired.key + 1,
        last_key=end,
        after_us=None,
        event_time_us=trigger.fired.timestamp_us,
    )
    task = EvaluateTask(
        run_id=state.run_id,
        trigger_id=TriggerId(index),
        setup_version=SETUP_VERSION,
        models=models,
        stretches=(stretch,),
    )
    identifier = task_id(state.run_id, TriggerId(index), "score")
    state = state.but(tasks=state.tasks.set(identifier, OpenTask(task=task)))
    return state, [Publish(task_id=identifier, task=task)]


def _baseline(state: RunState) -> Step | None:
    """Baselines need no model, only the same windows; each window hands its label counts to the next."""
    index = state.to_baseline
    if index >= len(state.triggers) or state.baseline_running:
        return None
    trigger = state.trigger(index)
    if trigger.phase in (Phase.FAILED, Phase.COALESCED):
        return state.but(to_baseline=index + 1), []
    end = state.window_end(index)
    if end is None:
        return None
    first_key = trigger.fired.key + 1
    if end < first_key:
        return state.but(to_baseline=index + 1), []
    task = BaselineTask(
        run_id=state.run_id,
        trigger_id=TriggerId(index),
        setup_version=SETUP_VERSION,
        first_key=first_key,
        last_key=end,
        history=state.history,
    )
    identifier = task_id(state.run_id, TriggerId(index), "baseline")
    tasks = state.tasks.set(identifier, OpenTask(task=task))
    return state.but(to_baseline=index + 1, baseline_running=True, tasks=tasks), [
        Publish(task_id=identifier, task=task)
    ]


def scored_on_slices(state: RunState, trigger_id: TriggerId, slices: Sequence[Slice]) -> Step:
    """Have one committed model scored on closed slices, as many to a task as a small message holds."""
    commands: list[AnyCommand] = []
    wanted = [piece for piece in slices if _meets(state, trigger_id, piece)]
    for start in range(0, len(wanted), _STRETCHES_PER_TASK):
        task = EvaluateTask(
            run_id=state.run_id,
            trigger_id=trigger_id,
            setup_version=SETUP_VERSION,
            models=(_model(state, trigger_id),),
            stretches=tuple(_stretch(piece) for piece in wanted[start : start + _STRETCHES_PER_TASK]),
        )
        number = state.trigger(trigger_id).slice_tasks
        identifier = task_id(state.run_id, trigger_id, "slices", number)
        state = state.with_trigger(trigger_id, slice_tasks=number + 1)
        state = state.but(tasks=state.tasks.set(identifier, OpenTask(task=task)))
        commands.append(Publish(task_id=identifier, task=task))
    return state, commands


def _meets(state: RunState, trigger_id: TriggerId, piece: Slice) -> bool:
    """`models: all`: every slice. `newest: N`: slices after the model, until N newer triggers had fired."""
    if state.settings.newest is None:
        return True
    overtaken_by = state.triggers.get(trigger_id + state.settings.newest)
    overtaken = overtaken_by is not None and overtaken_by.fired.key < piece.first_key
    return piece.last_key > state.trigger(trigger_id).fired.key and not overtaken


def _stretch(piece: Slice) -> Stretch:
    return Stretch(
        window=piece.window,
        slice=format_timestamp(piece.start_us),
        first_key=piece.first_key,
        last_key=piece.last_key,
        after_us=None,
        event_time_us=piece.event_time_us,
    )


def _open_chord(state: RunState, chord: PublishChord) -> RunState:
    tasks = state.tasks.update({identifier: OpenTask(task=task, chord=chord) for identifier, task in chord.headers})
    return state.but(tasks=tasks.set(chord.body_id, OpenTask(task=chord.body, chord=chord)))


def _model(state: RunState, index: int) -> ModelRef:
    trigger = state.trigger(index)
    assert trigger.model is not None, f"trigger {index} has no model"
    return ModelRef(trigger_id=trigger.fired.id, object=trigger.model)


def _newest_model_before(state: RunState, index: int) -> ModelRef | None:
    while index > 0:
        index -= 1
        if state.trigger(index).phase is Phase.COMMITTED:
            return _model(state, index)
    return None


def at_rest(state: RunState) -> bool:
    """Whether observing may go on: the triggers that wait are few, so memory stays flat however long the stream."""
    return len(state.triggers) - state.to_train < max(64, 2 * state.settings.max_in_flight)
