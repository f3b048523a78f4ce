"""Scores that are estimated: what models are calibrated on, and windows whose labels are waited for."""

from __future__ import annotations

from collections.abc import Iterable

from shared.ids import TriggerId, task_id
from shared.messages.tasks import Calibration, EvaluateTask
from supervisor.core.attempts import model_ref, who
from supervisor.core.commands import Publish
from supervisor.core.label_times import final, is_settled, known_at
from supervisor.core.open_tasks import OpenTask
from supervisor.core.state import RunState
from supervisor.core.step import Step
from supervisor.core.stretches import until_next_trigger
from supervisor.core.trigger_state import Phase


def calibrations(state: RunState, models: Iterable[int]) -> tuple[Calibration, ...]:
    """Of these models, those that have rows to be calibrated on; none where scores are not estimated."""
    if not state.settings.estimates:
        return ()
    return tuple(_calibration(state, one) for one in models if state.trigger(one).fired.labelled_key is not None)


def _calibration(state: RunState, index: int) -> Calibration:
    """What was known at its trigger."""
    trigger = state.trigger(index)
    assert trigger.fired.labelled_key is not None
    return Calibration(
        trigger_id=TriggerId(index),
        trigger_key=trigger.fired.key,
        first_key=state.first_usable_key,
        last_key=trigger.fired.labelled_key,
        labels=known_at(trigger.fired),
        left_out=trigger.left_out,
    )


def estimate_window(state: RunState) -> Step | None:
    """The rows that a model met while it was the newest, as soon as these are known and their labels are not."""
    index = state.to.estimate
    if not state.settings.estimates or index >= len(state.triggers):
        return None
    trigger = state.trigger(index)
    if index < state.to.score or trigger.phase.without_model:
        return state.moved(estimate=index + 1), []
    end = state.window_end(index)
    if trigger.phase is not Phase.COMMITTED or end is None:
        return None
    if is_settled(state, end) or end == trigger.fired.key:
        return state.moved(estimate=index + 1), []
    task = EvaluateTask(
        **who(state, index),
        labels=final(state),
        models=(model_ref(state, index),),
        stretches=until_next_trigger(state, index, end),
        device=state.started.evaluation_device,
        calibrations=calibrations(state, [index]),
        early=True,
    )
    identifier = task_id(state.run_id, TriggerId(index), "estimate")
    return state.with_task(identifier, OpenTask(task=task)).moved(estimate=index + 1), [
        Publish(task_id=identifier, task=task)
    ]
