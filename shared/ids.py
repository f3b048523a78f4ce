"""Ids as types of their own, and the one place where task ids are made."""

from __future__ import annotations

from typing import Literal, NamedTuple, NewType, get_args

RunId = NewType("RunId", str)
TriggerId = NewType("TriggerId", int)
WorkerId = NewType("WorkerId", str)
TaskId = NewType("TaskId", str)

# What is done for a trigger: its model is made, scored on the rows of a gate and judged, then scored on all that comes.
Stage = Literal["select", "train", "gather", "evaluate", "decide", "estimate", "score", "slices", "baseline", "detect"]
STAGES: tuple[Stage, ...] = get_args(Stage)
STAGES_OF_A_MODEL: tuple[Stage, ...] = ("select", "train", "gather")


def task_id(run_id: RunId, trigger_id: TriggerId, stage: Stage | Literal["check"], index: int = 0) -> TaskId:
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
