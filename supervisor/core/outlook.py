"""How far a run is: triggers and evaluations done, of all that are known by now. O(1), from the state alone."""

from __future__ import annotations

import msgspec

from shared.ids import Stage, TriggerId, task_id
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase

_NOT_BEGUN = {Phase.WAITING: "waits for its turn to select", Phase.SELECTED: "waits for its turn to train"}


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """Counts. An evaluation is a model on one window or slice, or the baselines of a window."""

    triggers: int = 0
    triggers_done: int = 0  # they have a model and a decision, or never will
    evaluations: int = 0
    evaluations_done: int = 0
    first_undone: str = ""  # what the first trigger that is not done is at, or the policy waits for, for people

    @property
    def sentence(self) -> str:
        """For people; empty before the first trigger."""
        parts = []
        if self.triggers:
            parts.append(f"{self.triggers_done:,} of {self.triggers:,} triggers done")
        if self.evaluations:
            parts.append(f"evaluations {self.evaluations_done:,} of {self.evaluations:,}")
        return "; ".join(filter(None, (", ".join(parts), self.first_undone)))


def outlook(state: RunState) -> Outlook:
    """What is done and what is left, as it is known now: more rows bring more triggers, and these more evaluations."""
    done = _triggers_done(state)
    return Outlook(
        triggers=len(state.triggers),
        triggers_done=done,
        evaluations=state.evaluations_done + state.tasks.evaluations + _not_published(state),
        evaluations_done=state.evaluations_done,
        first_undone=_first_undone(state, done) or open_question(state),
    )


def _triggers_done(state: RunState) -> int:
    """All before the cursor of decisions are done, but perhaps the one whose decision is open."""
    index = state.to.decide
    return index - (index > 0 and not state.trigger(index - 1).decided)


def _first_undone(state: RunState, done: int) -> str:
    if done >= len(state.triggers):
        return ""
    phase, settings = state.trigger(done).phase, state.settings
    if phase in _NOT_BEGUN:
        return f"trigger {done} {_NOT_BEGUN[phase]}"
    stages: dict[Stage, int] = {"decide": 1, "evaluate": len(settings.gated)}
    what, verb = "decision", "decide on"
    if phase is Phase.SELECTING:
        stages, what, verb = {"select": 1}, "selection", "select for"
    elif phase is Phase.TRAINING:
        stages, what, verb = {"train": settings.members, "gather": 1}, "training", "train"
    tasks = (task_id(state.run_id, TriggerId(done), stage, n) for stage, count in stages.items() for n in range(count))
    if any(task in state.tasks.claimed for task in tasks):
        return f"trigger {done} is at its {what}"
    return f"a worker to {verb} trigger {done} is waited for"


def open_question(state: RunState) -> str:
    """What an open question of the policy waits for, for people; empty: there is none, or its model is still to come.

    In the latter case a trigger is not done, and says so.
    """
    question = state.stream.question
    if question is None or question.task not in state.tasks:
        return ""
    if question.task in state.tasks.claimed:
        return f"a worker looks at the rows up to key {question.asked.key:,} for the trigger policy"
    return f"a worker to look at the rows up to key {question.asked.key:,} for the trigger policy is waited for"


def _not_published(state: RunState) -> int:
    """Evaluations that are due once there is a model, or once labels are known.

    The window behind the last trigger is due when the stream has ended. Slices that a later model may not meet are not
    counted before it is made.
    """
    settings, triggers = state.settings, len(state.triggers)
    with_window = triggers if state.stream.ended else triggers - 1
    windows = max(with_window - state.to.score, 0) * len(settings.prequential)
    baselines = max(with_window - state.to.baseline, 0)
    gated = (triggers - state.to.decide) * len(settings.gated)
    without_model = triggers - state.to.train + state.tasks.count("gather")
    slices = len(state.stream.slices) * without_model if settings.newest is None else 0
    return windows + baselines + gated + slices
