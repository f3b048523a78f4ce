"""Which models, and states of the strategy, are no longer needed: what is let go of, and what must not be."""

from __future__ import annotations

from shared.ids import TriggerId
from supervisor.core.commands import RetireModel, RetireState
from supervisor.core.scoring import may_meet_slices
from supervisor.core.selecting import asked_by
from supervisor.core.state import RunState
from supervisor.core.step import Effect, Step
from supervisor.core.trigger_state import Phase

_STATES_KEPT = 2
_AT_ONCE = 32  # so many kept models are looked at with every event; more of them in proportion more seldom


def retire(state: RunState, *, at_the_end: bool) -> Step:
    """Retire what is old enough and that nothing needs any more."""
    state, states = _retire_states(state)
    state, models = _retire_models(state, at_the_end=at_the_end)
    return state, [*states, *models]


def _retire_states(state: RunState) -> Step:
    """Kept is what the strategy kept at the two newest triggers: the next selection reads one, and the newest can be
    done again from the other. So is what trainings that are not over would have their training sets made anew from.

    From any later loss the strategy observes again, from the newest that is there, if need be from the first row on.
    """
    commands: list[Effect] = []
    # This trigger goes on from the newest before it.
    needed = min(state.to.decide, state.to.select - 1, *state.selecting_again)
    while len(state.states_kept) > _STATES_KEPT and state.states_kept[1] < needed:
        oldest, *left = state.states_kept
        state = state.with_trigger(oldest, state_gone=True).but(states_kept=tuple(left))
        commands.append(RetireState(trigger_id=TriggerId(oldest)))
    return state, commands


def _retire_models(state: RunState, *, at_the_end: bool) -> Step:
    """What `retention.models: {newest: N}` lets go of.

    O(1) for an event, on the average: to look at all that are kept waits for as many events as pay for it, but not
    when the run is `at_the_end`.
    """
    kept, waited = state.settings.models_kept, state.models.kept_unseen + 1
    if kept is None or len(state.models.kept) <= kept:
        return state, []
    if waited * _AT_ONCE < len(state.models.kept) and not at_the_end:
        return state.with_models(kept_unseen=waited), []
    state = state.with_models(kept_unseen=0)
    commands: list[Effect] = []
    newest = sorted(index for index in state.models.kept if state.trigger(index).phase is Phase.COMMITTED)
    compared = _to_be_compared_with(state)
    for index in newest[: max(0, len(newest) - kept)]:
        if index not in compared and not _is_needed(state, index):
            state = state.with_trigger(index, retired=True).with_models(kept=state.models.kept - {index})
            commands.append(RetireModel(trigger_id=TriggerId(index)))
    return state, commands


def _to_be_compared_with(state: RunState) -> set[int | None]:
    """The baseline, what is deployed, and what was deployed where windows still are to be scored."""
    undecided = min(state.to.decide, len(state.triggers))
    deployed = {state.trigger(later).deployed_after for later in range(state.to.score, undecided)}
    return {state.models.first, state.deployed, *deployed}


def _is_needed(state: RunState, index: int) -> bool:
    """Whether a model is read by an open task, or is going to be decided on, scored, or continued from."""
    if index >= min(state.to.score, state.to.decide) or index in asked_by(state, state.selecting_again):
        return True
    return state.tasks.read(index) or _is_built_on(state, index) or may_meet_slices(state, index)


def _is_built_on(state: RunState, index: int) -> bool:
    """Whether a training continues from this model, or is going to."""
    if not state.settings.use_previous_model:
        return False
    following = state.following(index)
    return following is None or following.model is None
