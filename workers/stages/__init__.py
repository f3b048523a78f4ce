"""What each kind of task does, between claim and report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.messages import AnyReport
from workers.stages import check, evaluate, select, train
from workers.stages.work import Work

STAGES: dict[str, Callable[[Work], tuple[AnyReport, Any]]] = {
    "select": select.run_select,
    "check": check.run_check,
    "train": train.run_train,
    "gather": train.run_gather,
    "evaluate": evaluate.run_evaluate,
    "baseline": evaluate.run_baseline,
    "decide": evaluate.run_decide,
}

__all__ = ["STAGES", "Work"]
