"""Which models are no longer needed: what `retention.models: {newest: N}` lets go of, and what it must not."""

from __future__ import annotations

from shared.ids import TriggerId
from shared.messages import DecideTask, EvaluateTask, ModelRef
from supervisor.core.attempts import Step
from supervisor.core.commands import AnyCommand, RetireModel
from supervisor.core.state import Phase, RunState


def retire(state: RunState) -> Step:
    """Retire models that are old enough and that nothing needs any more. O(models looked at for the first time)."""
    if state.settings.models_kept is None:
        return state, []
    commands: list[AnyCommand] = []
    newest = sorted(index for index in state.kept_models if state.trigger(index).phase is Phase.COMMITTED)
    old = newest[: max(0, len(newest) - state.settings.models_kept)]
    needed = _needed(state) if old else set()
    for index in old:
        if index not in needed and index < min(state.to_score, state.to_decide) and not _is_built_on(state, index):
            state = state.with_trigger(index, retired=True).but(kept_models=state.kept_models - {index})
            commands.append(RetireModel(trigger_id=TriggerId(index)))
    return state, commands


def _is_built_on(state: RunState, index: int) -> bool:
    """Whether a training continues from this model, or is going to."""
    if not state.settings.use_previous_model:
        return False
    following = state.following(index)
    return following is None or following.model is None


def _needed(state: RunState) -> set[int]:
    """Models that are deployed, kept as the baseline, or named by an open task or a window still to be scored."""
    needed: set[int] = {index for index in (state.first_model, state.deployed) if index is not None}
    for index in range(state.to_score, len(state.triggers)):
        deployed = state.trigger(index).deployed_after
        needed |= set() if deployed is None else {deployed}
    for open_task in state.tasks.values():
        needed |= {ref.trigger_id for ref in _models_of(open_task.task)}
    return needed


def _models_of(task: object) -> tuple[ModelRef, ...]:
    if isinstance(task, EvaluateTask):
        return task.models
    return (task.candidate,) if isinstance(task, DecideTask) else ()
