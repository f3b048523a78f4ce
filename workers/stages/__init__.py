"""What each kind of task does, between claim and report; a stage is imported by the workers that serve it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from shared.messages import AnyReport
from workers.stages.work import Work

Stage = Callable[[Work], tuple[AnyReport, Any]]

# kind of task → module, and the function in it. A train worker never loads the metrics, which take a second.
STAGES = {
    "select": ("workers.stages.select", "run_select"),
    "check": ("workers.stages.check", "run_check"),
    "train": ("workers.stages.train", "run_train"),
    "gather": ("workers.stages.train", "run_gather"),
    "evaluate": ("workers.stages.evaluate", "run_evaluate"),
    "baseline": ("workers.stages.evaluate", "run_baseline"),
    "decide": ("workers.stages.decide", "run_decide"),
}


def stage(kind: str) -> Stage:
    """The function that does this kind of task."""
    module, function = STAGES[kind]
    return cast(Stage, getattr(import_module(module), function))


__all__ = ["STAGES", "Stage", "Work", "stage"]
