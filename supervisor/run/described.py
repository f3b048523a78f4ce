"""What a task is, in a line: what Flower shows of it and finds it by, in the place of the message itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.ids import RunId
from shared.messages.tasks import (
    AnyTask,
    BaselineTask,
    CheckTask,
    DecideTask,
    DetectTask,
    EvaluateTask,
    Stretch,
    TrainTask,
)

_BETWEEN = " · "
_MIDNIGHT = "T00:00:00.000000Z"  # what most slices begin with needs no room
_SEVERAL = "…"  # between the first and the last of them
_FEW = 3  # models that are named one by one


class Description(NamedTuple):
    """What stands where Celery has arguments."""

    args: str  # for people: `flights · trigger 3 · member 0`
    kwargs: str  # a dictionary as Python writes it, which Flower searches: `kwargs:pipeline=flights kwargs:trigger=3`


def described(pipeline: str, task: AnyTask) -> Description:
    """A task of the pipeline with this name."""
    of_trigger = {} if isinstance(task, CheckTask) else {"trigger": int(task.trigger_id)}
    about = {**of_trigger, **_own(task)}
    told = [pipeline, *(f"{name} {value}" for name, value in about.items())]
    again = [f"attempt {task.attempt}"] if task.attempt > 1 else []
    every = {"pipeline": pipeline, "run": str(task.run_id), **about, "attempt": task.attempt}
    return Description(_BETWEEN.join(told + again), repr(every))


def described_call(pipeline: str, run_id: RunId) -> Description:
    """What a worker is told about the run itself."""
    return Description(pipeline, repr({"pipeline": pipeline, "run": str(run_id)}))


def _own(task: AnyTask) -> dict[str, object]:
    """What only this kind of task has. It stays short however much the task holds."""
    match task:
        case TrainTask():
            return {"member": task.member}
        case EvaluateTask():
            models = _models(sorted({int(one.trigger_id) for one in task.models}))
            gate = {"for": "gate"} if task.gate else {}
            return {**_windows(task.stretches), **gate, "models": models}
        case DecideTask(gate=Stretch() as gate):
            return _windows([gate])
        case BaselineTask():
            return {"rows": f"{task.first_key}{_SEVERAL}{task.last_key}"}
        case DetectTask():
            return {"question": task.number, "key": task.key}
        case _:
            return {}


def _windows(stretches: Iterable[Stretch]) -> dict[str, object]:
    stretches = list(stretches)
    slices = _span(one.slice.removesuffix(_MIDNIGHT) for one in stretches if one.slice)
    windows = _span(one.window for one in stretches)
    return {"window": windows, "slice": slices} if slices else {"window": windows}


def _models(numbers: list[int]) -> str:
    """Which ones, ascending. Of many the first and the last, and how many where these are not all between them."""
    if len(numbers) <= _FEW:
        return ", ".join(map(str, numbers))
    span, is_whole = f"{numbers[0]}{_SEVERAL}{numbers[-1]}", numbers[-1] - numbers[0] < len(numbers)
    return span if is_whole else f"{span}, {len(numbers)} of them"


def _span(values: Iterable[str]) -> str:
    """One by itself, of several the first and the last; what stands there twice counts once."""
    several = list(dict.fromkeys(values))
    return _SEVERAL.join([several[0], several[-1]] if len(several) > 1 else several)
