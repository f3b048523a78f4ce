"""What each kind of task does, between claim and report: a module a kind, which is imported when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from shared.messages.reports import AnyReport
from workers.stages.work import Work

Stage = Callable[[Work], tuple[AnyReport, Any]]


def stage(kind: str) -> Stage:
    """What does this kind of task. A train worker never loads the metrics, which take a second."""
    return cast(Stage, import_module(f"workers.stages.{kind}").run)


__all__ = ["Stage", "Work", "stage"]
