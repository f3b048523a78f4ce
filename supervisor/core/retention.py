"""Which models are no longer needed: what `retention.models: {newest: N}` lets go of, and what it must not."""

from __future__ import annotations

from shared.ids import TriggerId
from supervisor.core.commands import RetireModel
from supervisor.core.scoring import may_meet_slices
from supervisor.core.state import Phase, RunState
from supervisor.core.step import Effect, Step


def retire(state: RunState) -> Step:
    """Retire models that are old enough and that nothing needs any more. O(models that are kept)."""
    kept = state.settings.models_kept
    if kept is None or len(state.kept_models) <= kept:
        return state, []
    commands: list[Effect] = []
    newest = sorted(index for index in state.kept_models if state.trigger(index).phase is Phase.COMMITTED)
    for index in newest[: max(0, len(newest) - kept)]:
        if not _is_needed(state, index):
            state = state.with_trigger(index, retired=True).but(kept_models=state.kept_models - {index})
            commands.append(RetireModel(trigger_id=TriggerId(index)))
    return state, commands


def _is_needed(state: RunState, index: int) -> bool:
    """Whether a model is kept as the baseline, deployed, read by an open task, or going to be decided on, or scored."""
    if index in (state.first_model, state.deployed) or index >= min(state.to.score, state.to.decide):
        return True
    if state.tasks.read(index) or _is_built_on(state, index) or may_meet_slices(state, index):
        return True
    undecided = min(state.to.decide, len(state.triggers))
    return any(state.trigger(later).deployed_after == index for later in range(state.to.score, undecided))


def _is_built_on(state: RunState, index: int) -> bool:
    """Whether a training continues from this model, or is going to."""
    if not state.settings.use_previous_model:
        return False
    following = state.following(index)
    return following is None or following.model is None
