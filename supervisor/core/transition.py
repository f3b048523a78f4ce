"""`state, event → state, commands, notices`: what each event changes and means, and then what has become possible."""

from __future__ import annotations

from functools import singledispatch

from shared.ids import TriggerId
from supervisor.core.advance import advance
from supervisor.core.attempts import (
    again,
    again_all,
    can_run,
    forgive,
)
from supervisor.core.commands import AnyCommand, Command, End
from supervisor.core.events import (
    AnyEvent,
    Declined,
    Discovered,
    Ended,
    Event,
    Garbled,
    LabelsDiscovered,
    LeaseExpired,
    NotRead,
    Observed,
    Reported,
    Resumed,
    RunStarted,
    StopAsked,
    StreamEnded,
    Unclaimed,
    Wiped,
)
from supervisor.core.failures import lost
from supervisor.core.label_finds import labels_found
from supervisor.core.notices import (
    AnyNotice,
    ClocksChanged,
    NeverFired,
    NeverLabelled,
    Notice,
    RowsMisdated,
    RunEnded,
    RunForgotten,
    StopBegun,
    StreamOver,
    TaskPublishedAgain,
    TriggerCoalesced,
    TriggerDeclined,
    TriggerFired,
)
from supervisor.core.questions import in_key_order, note_policy
from supervisor.core.remaking import remake
from supervisor.core.reported import reported
from supervisor.core.retention import retire
from supervisor.core.scoring import close_slices
from supervisor.core.seen import Fired, Settled
from supervisor.core.set_aside import note_violations, release
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase
from supervisor.core.unread_files import not_read, read_now


def transition(state: RunState, event: AnyEvent) -> tuple[RunState, list[AnyCommand], list[AnyNotice]]:
    """The next state; what is to be done, in order, once the event is on disk; and what it meant, for listeners."""
    state, effects = _apply(event, state)
    if state.status == "running" and not state.stopping:
        state, more = advance(state)
        state, retired = retire(state, at_the_end=any(isinstance(effect, End) for effect in more))
        effects = [*effects, *retired, *more]  # the end of the run, if this is it, comes last
    commands = [effect for effect in effects if isinstance(effect, Command)]
    return state, commands, [effect for effect in effects if isinstance(effect, Notice)]


@singledispatch
def _apply(event: Event, state: RunState) -> Step:
    return state, []


@_apply.register
def _(event: RunStarted, state: RunState) -> Step:
    state = state.but(started=event, setup_version=event.setup_version)
    state = state.with_stream(observed_key=event.first_key - 1)
    if event.everything is None:
        return state, []
    return state.with_fired(event.everything), [TriggerFired(fired=event.everything)]


@_apply.register
def _(event: Resumed, state: RunState) -> Step:
    """What no worker still works on is published again, and what was lost is made anew."""
    state = state.but(stopping=False, status="running", setup_version=event.setup_version)
    state = state.but(attempts_above=max(state.attempts_above, event.attempts_above))
    state = remake(forgive(state), event.lost_training_sets, event.lost_models, event.lost_states)
    left = {task_id for task_id in event.adopted if task_id in state.tasks and can_run(state, task_id)}
    return again_all(state, set(state.tasks) - left)


@_apply.register
def _(event: Wiped, state: RunState) -> Step:
    """Messages, chords and reports on their way are gone with the rest."""
    state, effects = again_all(state, set(state.tasks) - set(event.adopted))
    return state, [RunForgotten(), *effects]


@_apply.register
def _(event: Discovered, state: RunState) -> Step:
    return read_now(event, state)


@_apply.register
def _(event: LabelsDiscovered, state: RunState) -> Step:
    return read_now(event, labels_found(event, state))


@_apply.register
def _(event: NotRead, state: RunState) -> Step:
    return not_read(event, state)


@_apply.register
def _(event: Observed, state: RunState) -> Step:
    stream, violations = note_violations(event.violations, state.stream)
    state, fired = state.but(stream=stream), list[Effect]()
    for one in event.triggers:
        state, notices = _fired(one, state)
        fired += notices
    state, of_times = _seen(event, state)
    state, considered = note_policy(event, state)
    state, effects = close_slices(state, event.slices)
    return state, [*of_times, *in_key_order([*considered, *violations, *fired]), *effects]


def _fired(fired: Fired, state: RunState) -> Step:
    """A trigger, and what becomes of held rows and of the trigger before."""
    stream, released = release(fired, state.stream)
    state = state.but(stream=stream).with_fired(fired)
    notices: list[Effect] = [TriggerFired(fired=fired), *released]
    before = TriggerId(fired.id - 1)
    if before >= 0 and state.trigger(before).phase is Phase.COALESCED:
        notices.append(TriggerCoalesced(trigger_id=before, into=fired.id))
    return state, notices


def _seen(event: Observed | StreamEnded, state: RunState) -> Step:
    """How far the rows were seen, and what of their times is to be told, once a run."""
    if event.began_us is not None:
        state = state.with_stream(began_us=event.began_us)
    if event.settled is not None and event.key >= state.stream.observed_key:
        state = _settled(event.settled, state)
    if event.key > state.stream.observed_key:  # else they are read again, after --resume
        state = state.with_stream(observed_key=event.key, event_time_us=event.event_time_us)
    known, clocks, told = state.stream.misdated, state.stream.clock_changes, list[Effect]()
    if event.misdated is not None and (known is None or event.misdated.rows > known.rows):
        state = state.with_stream(misdated=event.misdated)
        told += [RowsMisdated(misdated=event.misdated)] if known is None else []
    if event.clock_changes is not None and event.clock_changes.rows > clocks.rows:
        state = state.with_stream(clock_changes=event.clock_changes)
        told += [ClocksChanged(found=event.clock_changes)] if clocks.rows == 0 else []
    return state, told


def _settled(settled: Settled, state: RunState) -> RunState:
    """What is known of labels."""
    key = max(settled.key, state.stream.settled_key)
    return state.with_stream(settled_key=key, labels_position=settled.position, unlabelled=settled.unlabelled)


@_apply.register
def _(event: StreamEnded, state: RunState) -> Step:
    state, of_times = _seen(event, state)
    state, effects = close_slices(state.with_stream(ended=True, observed_key=event.key), event.slices)
    return state, [*of_times, StreamOver(key=event.key), *effects]


@_apply.register
def _(event: LeaseExpired, state: RunState) -> Step:
    open_task = state.tasks.get(event.task_id)
    if open_task is None or open_task.task.attempt != event.attempt:
        return state, []
    return lost(state, event.task_id) if open_task.ripe else again(state, event.task_id)  # a body that must wait


@_apply.register
def _(event: Garbled, state: RunState) -> Step:
    state = state.but(report_position=event.position)
    open_task = state.tasks.get(event.task_id)
    if open_task is None or open_task.task.attempt != event.attempt:
        return state, []
    return lost(state, event.task_id, f"a report that is of no use ({event.why})")


@_apply.register
def _(event: Unclaimed, state: RunState) -> Step:
    open_task = state.tasks.get(event.task_id)
    if open_task is None or open_task.task.attempt != event.attempt:
        return state, []
    state, effects = again(state, event.task_id)
    return state, [TaskPublishedAgain(task_id=event.task_id, why="its message was lost"), *effects]


@_apply.register
def _(event: Declined, state: RunState) -> Step:
    return state, [TriggerDeclined(why=event.why, sentence=event.sentence)]


@_apply.register
def _(event: StopAsked, state: RunState) -> Step:
    return state.but(stopping=True), [StopBegun(by=event.by)]


@_apply.register
def _(event: Ended, state: RunState) -> Step:
    faults = {"workers_lost": event.workers_lost, "reconnects": event.reconnects}
    effects: list[Effect] = [RunEnded(status=event.status, reason=event.reason, **faults)]
    if not state.triggers and event.status != "failed":
        rows, stream = state.stream.observed_key - state.started.first_key + 1, state.stream
        effects.append(NeverFired(rows=rows, first_us=stream.began_us, last_us=stream.event_time_us))
    seen = state.stream.observed_key - state.first_usable_key + 1
    if state.triggers and state.settings.labels == "in_table" and state.stream.unlabelled == seen > 0:
        effects.append(NeverLabelled(rows=seen))
    return state.but(status=event.status), effects


@_apply.register
def _(event: Reported, state: RunState) -> Step:
    return reported(event.report, state.but(report_position=event.position))
