"""Ids as types of their own, and the one place where task ids are made."""

from __future__ import annotations

from typing import NamedTuple, NewType

RunId = NewType("RunId", str)
TriggerId = NewType("TriggerId", int)
WorkerId = NewType("WorkerId", str)
TaskId = NewType("TaskId", str)

# Stages that make a trigger's model; what is scored comes later, and again.
STAGES_OF_A_MODEL = ("select", "train", "gather")


def task_id(run_id: RunId, trigger_id: TriggerId, stage: str, index: int = 0) -> TaskId:
    """Derive the id of a task from its place in the run, so that a re-published task keeps its id."""
    return TaskId(f"{run_id}/{trigger_id}/{stage}/{index}")


class TaskParts(NamedTuple):
    """A task's place in its run."""

    run_id: RunId
    trigger_id: TriggerId
    stage: str
    number: int


def parts_of(task: TaskId) -> TaskParts:
    """Read back what `task_id` put together."""
    run_id, trigger_id, stage, index = task.split("/")
    return TaskParts(RunId(run_id), TriggerId(int(trigger_id)), stage, int(index))
