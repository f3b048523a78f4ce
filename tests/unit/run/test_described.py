"""What Flower shows of a task."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

import pytest

from shared.artifacts import ArtifactRef
from shared.ids import RunId, TriggerId
from shared.messages.tasks import (
    AnyTask,
    BaselineTask,
    CheckTask,
    DecideTask,
    EvaluateTask,
    GatherTask,
    ModelRef,
    SelectTask,
    Stretch,
    TrainTask,
)
from supervisor.run.described import described

OBJECT = ArtifactRef(name="x", sha256="y", size_bytes=1)
WHO: dict[str, Any] = {"run_id": RunId("r"), "trigger_id": TriggerId(3), "setup_version": 1, "attempt": 2}
SELECT: dict[str, Any] = {
    "first_key": 0,
    "first_labelled_key": 0,
    "previous": (),
    "labelled_key": 0,
    "trigger_key": 9,
    "trigger_timestamp_us": 0,
}


def model(trigger: int) -> ModelRef:
    """A committed model."""
    return ModelRef(trigger_id=TriggerId(trigger), object=OBJECT)


def stretch(window: str, piece: str = "") -> Stretch:
    """Rows of a window, or of a slice of it."""
    return Stretch(window=window, slice=piece, first_key=0, last_key=9, after_us=None, event_time_us=None)


def evaluation(*stretches: Stretch, models: Iterable[int] = (0,), gate: bool = False) -> EvaluateTask:
    """Scores of models on stretches."""
    return EvaluateTask(**WHO, models=tuple(map(model, models)), stretches=stretches, gate=gate)


CASES: list[tuple[AnyTask, dict[str, Any], str]] = [
    (SelectTask(**WHO, **SELECT), {}, ""),
    (TrainTask(**WHO, member=1, training_set=OBJECT, trigger_key=9, previous_model=None), {"member": 1}, " · member 1"),
    (GatherTask(**WHO), {}, ""),
    (
        evaluation(stretch("recent"), gate=True),
        {"window": "recent", "models": "0", "for": "gate"},
        " · window recent · for gate · models 0",
    ),
    (
        evaluation(stretch("days", "2025-01-02T00:00:00.000000Z"), models=range(4)),
        {"window": "days", "slice": "2025-01-02", "models": "0…3"},
        " · window days · slice 2025-01-02 · models 0…3",
    ),
    (
        evaluation(stretch("next"), models=(9, 0)),
        {"window": "next", "models": "0, 9"},
        " · window next · models 0, 9",
    ),
    (
        evaluation(stretch("next"), models=(0, 3, 6, 9)),
        {"window": "next", "models": "0…9, 4 of them"},
        " · window next · models 0…9, 4 of them",
    ),
    (
        evaluation(
            *(stretch("days", f"day {number}") for number in range(64)), stretch("weeks", "week 1"), models=range(999)
        ),
        {"window": "days…weeks", "slice": "day 0…week 1", "models": "0…998"},
        " · window days…weeks · slice day 0…week 1 · models 0…998",
    ),
    (
        BaselineTask(**WHO, first_key=5, last_key=9, history=None, unknown_key=5, first_labelled_key=0),
        {"rows": "5…9"},
        " · rows 5…9",
    ),
    (
        DecideTask(**WHO, candidate=model(3), gate=stretch("recent"), device="cpu", known={}),
        {"window": "recent"},
        " · window recent",
    ),
    (DecideTask(**WHO, candidate=model(3), gate=None, device="cpu", known={}), {}, ""),
]


@pytest.mark.parametrize(("task", "own", "read"), CASES)
def test_a_task_is_found_by_pipeline_and_trigger(task: AnyTask, own: dict[str, Any], read: str) -> None:
    """Flower reads one line as a Python dictionary, people the other; neither is ever long."""
    shown = described("it's mine", task)
    assert ast.literal_eval(shown.kwargs) == {"pipeline": "it's mine", "run": "r", "trigger": 3, **own, "attempt": 2}
    assert shown.args == f"it's mine · trigger 3{read} · attempt 2"
    assert len(shown.kwargs) < 200


def test_a_check_is_of_no_trigger() -> None:
    """Who looks for the tasks of the first trigger does not find the check of the pipeline."""
    shown = described("mine", CheckTask(**WHO | {"attempt": 1}))
    assert ast.literal_eval(shown.kwargs) == {"pipeline": "mine", "run": "r", "attempt": 1}
    assert shown.args == "mine"
