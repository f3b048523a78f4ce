"""What a worker does at a task, in a few words for people."""

from __future__ import annotations

from shared.ids import TaskId, parts_of
from shared.messages.tasks import AnyTask, BaselineTask, DetectTask, EvaluateTask, Stretch
from shared.words import counted


def in_words(task_id: TaskId, task: AnyTask) -> str:
    """Such as `train 3`, `model 3 on 64 slices of weekly from 2013-01-07 on`."""
    parts = parts_of(task_id)
    match task:
        case EvaluateTask():
            return f"{'estimate of ' if task.early else ''}{_models(task)} on {_rows(task.stretches)}"
        case BaselineTask():
            return f"baselines behind trigger {parts.trigger_id}"
        case DetectTask():
            return f"rows up to key {task.key:,} for the trigger policy"
        case _:
            return f"{parts.stage} {parts.trigger_id}"


def _models(task: EvaluateTask) -> str:
    numbers = [str(model.trigger_id) for model in task.models]
    if len(numbers) == 1:
        return f"model {numbers[0]}"
    return f"models {', '.join(numbers[:-1])} and {numbers[-1]}"


def _rows(stretches: tuple[Stretch, ...]) -> str:
    """The windows, each once; of slices how many, and where they begin."""
    told = []
    for window in dict.fromkeys(one.window for one in stretches):
        slices = [one.slice for one in stretches if one.window == window and one.slice]
        begins = f" from {slices[0][:10]} on" if slices else ""
        told.append(f"{counted(len(slices), 'slice')} of {window}{begins}" if slices else window)
    return ", ".join(told)
