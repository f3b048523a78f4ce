"""Whose task it is, in a word or two: a trigger's, or the trigger policy's own."""

from __future__ import annotations

from shared.ids import TaskId, parts_of


def whose(task_id: TaskId) -> str:
    """Such as `trigger 3`, or `question 7 of the trigger policy`: that belongs to no trigger, and may lead to none."""
    parts = parts_of(task_id)
    if parts.stage == "detect":
        return f"question {parts.number} of the trigger policy"
    return f"trigger {parts.trigger_id}"
