"""What models are scored on, and when: the window until the next trigger, baselines beside it, closed slices."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from shared.config.pipeline import Last, Window
from shared.ids import TriggerId, task_id
from shared.messages.tasks import BaselineTask, EvaluateTask, Stretch
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp
from supervisor.core.attempts import model_ref, who
from supervisor.core.classes import classes_known
from supervisor.core.commands import Publish
from supervisor.core.estimating import calibrations
from supervisor.core.label_times import final, is_settled
from supervisor.core.open_tasks import OpenTask
from supervisor.core.seen import Slice
from supervisor.core.state import Baselines, RunState
from supervisor.core.step import Effect, Step
from supervisor.core.stretches import rows_of, until_next_trigger
from supervisor.core.trigger_state import Phase, TriggerState

_STRETCHES_PER_TASK = 64  # keeps a message under ten kilobytes
_ROWS_PER_TASK = 1_000_000  # and a worker from being busy for so long that a decision waits for it


def last_stretch(state: RunState, trigger: TriggerState, window: Window) -> Stretch:
    """The window (event time at the labelled key − d, labelled key]; earlier triggers spare the worker the search."""
    assert isinstance(window.extent, Last)
    last_key, last_us = trigger.fired.labelled_key, trigger.fired.labelled_us
    if last_key is None or last_us is None:  # no label is known, so there are no rows
        return rows_of(window, state.first_usable_key, state.first_usable_key - 1)
    after_us = last_us - round(window.extent.duration_s * MICROSECONDS_PER_S)
    earlier = bisect_right(range(trigger.fired.id), after_us, key=lambda index: state.trigger(index).fired.timestamp_us)
    before = state.trigger(earlier - 1).fired if earlier else None
    first_key = before.key + 1 if before else 0
    before_us = before.timestamp_us if before else None
    stretch = rows_of(window, max(first_key, state.first_usable_key), last_key, before_us)
    return msgspec.structs.replace(stretch, after_us=after_us)


def score_window(state: RunState) -> Step | None:
    """The rows a model met while it was the newest; on the same rows the first model and the deployed one."""
    index = state.to.score
    if index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if not trigger.phase.over or not trigger.decided:
        return None
    if trigger.phase is not Phase.COMMITTED:
        return state.moved(score=index + 1), []
    end = state.window_end(index)
    if end is None or not is_settled(state, end):
        return None
    if end == trigger.fired.key:
        return state.moved(score=index + 1), []
    numbers = {n for n in (index, state.models.first, trigger.deployed_after) if n is not None}
    if any(state.trigger(number).model is None for number in numbers):  # it is being made anew
        return None
    models = tuple(model_ref(state, number) for number in sorted(numbers))
    task = EvaluateTask(
        **who(state, index),
        labels=final(state),
        models=models,
        stretches=until_next_trigger(state, index, end),
        device=state.started.evaluation_device,
        calibrations=calibrations(state, sorted(numbers)),
    )
    identifier = task_id(state.run_id, TriggerId(index), "score")
    return state.with_task(identifier, OpenTask(task=task)).moved(score=index + 1), [
        Publish(task_id=identifier, task=task)
    ]


def score_baseline(state: RunState) -> Step | None:
    """Baselines need no model, only the same windows; each window hands its label counts to the next."""
    index = state.to.baseline
    if index >= len(state.triggers) or state.baselines.running:
        return None
    trigger = state.trigger(index)
    if trigger.phase.without_model:
        return state.moved(baseline=index + 1), []
    if not trigger.phase.selected:  # perhaps it has no window
        return None
    end = state.window_end(index)
    if end is None or not is_settled(state, end):
        return None
    first_key, known_key = trigger.fired.key + 1, trigger.fired.labelled_key
    if end < first_key:
        return state.moved(baseline=index + 1), []
    task = BaselineTask(
        **who(state, index),
        labels=final(state),
        first_key=first_key,
        last_key=end,
        history=state.baselines.history,
        unknown_key=state.first_usable_key if known_key is None else known_key + 1,
        first_labelled_key=state.trigger(0).fired.labelled_key,
        classes=classes_known(state, index),
    )
    identifier = task_id(state.run_id, TriggerId(index), "baseline")
    state = state.with_task(identifier, OpenTask(task=task)).moved(baseline=index + 1)
    state = state.but(baselines=Baselines(running=True, history=state.baselines.history))
    return state, [Publish(task_id=identifier, task=task)]


def score_slices(state: RunState, trigger_id: TriggerId) -> Step:
    """Have a committed model scored on the closed slices it was not scored on yet, many to a task."""
    trigger = state.trigger(trigger_id)
    closed = [state.stream.slices[number] for number in range(trigger.slices_scored, len(state.stream.slices))]
    wanted = [piece for piece in closed if _meets(state, trigger_id, piece)]
    state = state.with_trigger(trigger_id, slices_scored=len(state.stream.slices))
    commands: list[Effect] = []
    for pieces in _shared_out(wanted):
        task = EvaluateTask(
            **who(state, trigger_id),
            labels=final(state),
            models=(model_ref(state, trigger_id),),
            stretches=tuple(map(_stretch, pieces)),
            device=state.started.evaluation_device,
            calibrations=calibrations(state, [trigger_id]),
        )
        number = state.trigger(trigger_id).slice_tasks
        identifier = task_id(state.run_id, trigger_id, "slices", number)
        state = state.with_trigger(trigger_id, slice_tasks=number + 1)
        state = state.with_task(identifier, OpenTask(task=task))
        commands.append(Publish(task_id=identifier, task=task))
    return state, commands


def _shared_out(pieces: Sequence[Slice]) -> list[list[Slice]]:
    """Slices in tasks of bounded size; one that is larger alone is a task of its own."""
    shared: list[list[Slice]] = []
    rows = 0
    for piece in pieces:
        more = piece.last_key - piece.first_key + 1
        if not shared or len(shared[-1]) == _STRETCHES_PER_TASK or rows + more > _ROWS_PER_TASK:
            shared.append([])
            rows = 0
        shared[-1].append(piece)
        rows += more
    return shared


def close_slices(state: RunState, slices: Sequence[Slice]) -> Step:
    """Note closed slices, and have the models that are committed scored on those whose labels are known."""
    for new in slices:
        state = state.with_stream(cut=state.stream.cut.set(new.window, new))
    if slices and (state.stream.closing or not all(is_settled(state, piece.last_key) for piece in slices)):
        waiting = sorted((*state.stream.closing, *slices), key=lambda piece: piece.last_key)
        state, slices = state.with_stream(closing=tuple(waiting)), ()
    if state.stream.closing:
        state, slices = _settled_slices(state)
    if not slices:
        return state, []
    closed, open_from = state.stream.slices, state.stream.open_slices
    for new in slices:
        closed, open_from = closed.set(len(closed), new), open_from.set(new.window, new.last_key + 1)
    state = state.with_stream(slices=closed, open_slices=open_from)
    commands: list[Effect] = []
    for index in range(_oldest_met(state, min(piece.first_key for piece in slices)), len(state.triggers)):
        if state.trigger(index).phase is Phase.COMMITTED:
            state, more = score_slices(state, TriggerId(index))
            commands += more
    return state, commands


def _settled_slices(state: RunState) -> tuple[RunState, Sequence[Slice]]:
    """The closed slices that wait for no label any more. O(1) if there is none."""
    closing, settled = state.stream.closing, 0
    while settled < len(closing) and is_settled(state, closing[settled].last_key):
        settled += 1
    return state.with_stream(closing=closing[settled:]) if settled else state, closing[:settled]


def _oldest_met(state: RunState, first_key: int) -> int:
    """The first trigger whose model is scored on slices that begin at this key. O(triggers since)."""
    index = len(state.triggers) if state.settings.newest is not None else 0
    while index > 0 and not _overtaken(state, index - 1, first_key):
        index -= 1
    return index


def _meets(state: RunState, trigger_id: TriggerId, piece: Slice) -> bool:
    """`models: all`: every slice. `newest: N`: slices after the model, until N newer triggers had fired."""
    if state.settings.newest is None:
        return True
    return piece.last_key > state.trigger(trigger_id).fired.key and not _overtaken(state, trigger_id, piece.first_key)


def may_meet_slices(state: RunState, index: int) -> bool:
    """Whether a slice that is open, or one after it, is going to be scored with the model of this trigger."""
    if state.stream.ended or not state.settings.recurring:
        return False
    began = (state.stream.open_slices.get(name, state.started.first_key) for name in state.settings.recurring)
    return state.settings.newest is None or not _overtaken(state, index, min(began))


def _overtaken(state: RunState, index: int, first_key: int) -> bool:
    """Whether `newest` triggers after this one had fired when a slice that begins at this key did."""
    assert state.settings.newest is not None
    overtaken_by = state.triggers.get(index + state.settings.newest)
    return overtaken_by is not None and overtaken_by.fired.key < first_key


def _stretch(piece: Slice) -> Stretch:
    return Stretch(
        window=piece.window,
        slice=format_timestamp(piece.start_us),
        first_key=piece.first_key,
        last_key=piece.last_key,
        after_us=None,
        event_time_us=piece.event_time_us,
    )
