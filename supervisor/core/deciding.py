"""Whether a model is deployed: who is asked, in which order, and what the run then knows of its targets."""

from __future__ import annotations

from shared.ids import TriggerId, task_id
from shared.messages.reports import Decided
from shared.messages.tasks import DecideTask, EvaluateTask, Stretch
from supervisor.core.attempts import model_ref, who, with_chord
from supervisor.core.commands import Publish, PublishChord
from supervisor.core.label_times import known_at
from supervisor.core.open_tasks import OpenTask
from supervisor.core.scoring import last_stretch
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase


def decide(state: RunState) -> Step | None:
    """Decisions are taken in trigger order. Only the gate's window is waited for; others are scored beside it."""
    index = state.to.decide
    if index >= len(state.triggers) or (index > 0 and not state.trigger(index - 1).decided):
        return None
    trigger = state.trigger(index)
    if trigger.phase.without_model:
        return state.with_trigger(index, decided=True, deployed_after=state.deployed).moved(decide=index + 1), []
    if trigger.phase is not Phase.COMMITTED:
        return None
    commands: list[Effect] = []
    headers, gate = [], None
    for number, window in enumerate(state.settings.gated):
        waited_for = state.settings.deploys and window.name == state.settings.gate_window
        stretch = last_stretch(state, trigger, window)
        task = EvaluateTask(
            **who(state, index),
            labels=known_at(trigger.fired),
            models=(model_ref(state, index),),
            stretches=(stretch,),
            gate=waited_for,
            device=state.started.evaluation_device,
        )
        identifier = task_id(state.run_id, TriggerId(index), "evaluate", number)
        if waited_for:
            headers, gate = [(identifier, task)], stretch
        else:
            state = state.with_task(identifier, OpenTask(task=task))
            commands.append(Publish(task_id=identifier, task=task))
    state = state.moved(decide=index + 1)
    if not state.settings.deploys:
        return state.with_trigger(index, decided=True), commands
    chord = PublishChord(
        headers=tuple(headers),
        body_id=task_id(state.run_id, TriggerId(index), "decide"),
        body=_decision(state, index, gate),
    )
    return with_chord(state, chord), [chord, *commands]


def _decision(state: RunState, index: int, gate: Stretch | None) -> DecideTask:
    known = {name: told.decision for name, told in state.targets.items() if told.decision is not None}
    return DecideTask(
        **who(state, index),
        labels=known_at(state.trigger(index).fired),
        candidate=model_ref(state, index),
        gate=gate,
        device=state.started.evaluation_device,
        known=known,
    )


def decided(state: RunState, report: Decided, trigger_id: TriggerId) -> RunState:
    """Each target holds what the report says. What is deployed of this run is what the first of them holds.

    A later model of this run is not what was deployed then: the run goes on from a copy, or from older state. This one
    was, if the target's log says so.
    """
    targets = state.targets
    for told in report.targets:
        targets = targets.set(told.name, told)
    first = report.targets[0]
    deployed = first.trigger if first.run == state.run_id else None
    if deployed is not None and deployed > trigger_id:
        deployed = trigger_id if first.deployed else state.deployed
    state = state.but(targets=targets, deployed=deployed)
    return state.with_trigger(trigger_id, decided=True, deployed_after=deployed)
