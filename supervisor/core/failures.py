"""What follows a failed task or a lost worker: the task is tried again, its trigger fails, or the run ends."""

from __future__ import annotations

from shared.ids import STAGES_OF_A_MODEL, TaskId, TaskParts, TriggerId, parts_of
from shared.ids import task_id as id_of
from shared.messages.reports import Failed, Report
from supervisor.core.attempts import again, count_loss
from supervisor.core.commands import End
from supervisor.core.notices import Notice, TaskGivenUp, TaskPublishedAgain
from supervisor.core.open_tasks import OpenTask
from supervisor.core.state import RunState
from supervisor.core.step import Step
from supervisor.core.trigger_state import Phase

_LONGEST_DELAY_S = 60.0


def undone(state: RunState, report: Report, open_task: OpenTask) -> Step:
    """Handed back, or failed. A body that ran on headers which do not count has no say."""
    if isinstance(report, Failed) and open_task.ripe and not report.device:
        return give_up(state, report.task_id, report.sentence, resumable=report.resumable)
    if isinstance(report, Failed) and open_task.ripe:
        state, effects = lost(state, report.task_id, f"a broken device ({report.sentence})")
    else:
        state, effects = again(state, report.task_id)
    return state, [one for one in effects if isinstance(one, Notice)] if state.stopping else effects


def lost(state: RunState, task_id: TaskId, how: str = "") -> Step:
    """A worker that had the task is gone, or what it did is: again, a little later each time, and not for ever.

    `how`: what is known of the loss, for people.
    """
    worker = state.tasks[task_id].worker or "its worker"
    state, losses, another_may_try = count_loss(state, task_id)
    if another_may_try:
        state, effects = again(state, task_id, delay_s=min(2.0 ** (losses - 1) - 1, _LONGEST_DELAY_S))
        why = f"{worker} came back with {how}" if how else f"{worker} was lost"
        return state, [TaskPublishedAgain(task_id=task_id, why=why), *effects]
    advice = "The workers' log says what ended them: most often memory that ran out, or a task that hung."
    sentence = (
        f"{losses} workers were lost over its {parts_of(task_id).stage} task, the last was {worker}"
        f"{f', with {how}. ' if how else f'. {advice}'}"
    )
    return give_up(state, task_id, sentence, resumable=False)


def give_up(state: RunState, task_id: TaskId, sentence: str, *, resumable: bool) -> Step:
    """Fail the trigger, or end the run with the task still open, so that --resume tries it again.

    Only what makes a model can fail its trigger alone; a run whose models cannot be judged, or whose policy gets no
    answer, ends. `resumable`: the
    cause lies outside the pipeline, so the trigger is not to blame.
    """
    parts = parts_of(task_id)
    of_model = parts.stage in STAGES_OF_A_MODEL
    if parts.stage == "select" and state.trigger(parts.trigger_id).state_gone:
        sentence += " It was to make anew what the strategy kept, which is gone: mend the cause, then --resume."
        resumable = True
    elif of_model and state.trigger(parts.trigger_id).was_committed:
        sentence += " Its model was committed before and is gone: bring models/ back, or mend the cause; then --resume."
        resumable = True
    given_up = TaskGivenUp(task_id=task_id, sentence=sentence)
    if resumable or not state.settings.continue_on_failure or not of_model:
        return state, [given_up, End(status="failed", reason=f"{_whose(parts, state)}: {sentence}")]
    return fail_trigger(state, parts.trigger_id, sentence), [given_up]


def _whose(parts: TaskParts, state: RunState) -> str:
    """Whose task it is, as a sentence begins."""
    question = state.stream.question
    if parts.stage == "detect" and question is not None:
        return f"the question of the trigger policy at key {question.asked.key}"
    return f"trigger {parts.trigger_id}"


def fail_trigger(state: RunState, trigger_id: TriggerId, sentence: str) -> RunState:
    """No model comes of this trigger; what is open of its training counts no more."""
    own = tasks_of_model(state, trigger_id)
    if state.trigger(trigger_id).restoring:  # which later triggers wait for
        own.remove(id_of(state.run_id, trigger_id, "select"))
    else:
        state = state.but(selecting_again=state.selecting_again - {trigger_id})
    state = state.without_tasks(*own)
    return state.left_out(trigger_id, phase=Phase.FAILED, error=sentence)


def tasks_of_model(state: RunState, trigger_id: int) -> list[TaskId]:
    """The tasks that make a trigger's model, open or not."""
    numbers = {"train": range(state.settings.members)}  # of the other stages there is one task
    return [
        id_of(state.run_id, TriggerId(trigger_id), stage, number)
        for stage in STAGES_OF_A_MODEL
        for number in numbers.get(stage, range(1))
    ]
