"""What workers would report of their tasks, without the work: small made-up objects, and a score for every question."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared.artifacts import ArtifactRef
from shared.ids import TriggerId
from shared.messages.reports import (
    AnyReport,
    Baselined,
    Checked,
    Decided,
    Evaluated,
    Gathered,
    MetricValue,
    Selected,
    TargetDecision,
    Trained,
)
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import (
    AnyTask,
    BaselineTask,
    CheckTask,
    DecideTask,
    EvaluateTask,
    GatherTask,
    SelectTask,
    TrainTask,
)

_BODY = bytes(64)  # the supervisor renames an object and looks at its size; it reads none
_SHA256 = hashlib.sha256(_BODY).hexdigest()
_BASELINES = ("majority", "no_change")

Who = dict[str, Any]  # what every report begins with


def report_of(task: AnyTask, record: SetupRecord, who: Who) -> AnyReport:
    """The report of a task that was done in no time."""
    return _REPORTS[type(task)](task, record, who)


def _selected(task: SelectTask, record: SetupRecord, who: Who) -> AnyReport:
    ref = _object(record, f"training_sets/.{task.trigger_id}.{who['attempt']}-no-op.parquet")
    rows = task.trigger_key - (task.previous[-1].key if task.previous else task.first_key - 1)
    return Selected(**who, training_set=ref, samples=rows, rows_read=rows, watermark_key=task.trigger_key)


def _trained(task: TrainTask, record: SetupRecord, who: Who) -> AnyReport:
    ref = _object(record, f"models/{task.trigger_id}/.member-{task.member}.{who['attempt']}-no-op.safetensors")
    return Trained(**who, member=ref, train_s=0.0, loss=0.0, device="cpu")


def _gathered(task: GatherTask, record: SetupRecord, who: Who) -> AnyReport:
    name = f"models/{task.trigger_id}/.model.{who['attempt']}-no-op.safetensors"
    return Gathered(**who, model=_object(record, name))


def _evaluated(task: EvaluateTask, record: SetupRecord, who: Who) -> AnyReport:
    asked = [(model.trigger_id, stretch) for model in task.models for stretch in task.stretches]
    scores = [
        one
        for trigger, stretch in asked
        for one in _scores(record, trigger, (stretch.window, stretch.slice), (stretch.first_key, stretch.last_key))
    ]
    return Evaluated(**who, scores=tuple(scores))


def _decided(task: DecideTask, record: SetupRecord, who: Who) -> AnyReport:
    number = task.trigger_id + 1  # as if nobody else deployed to these targets
    held = {"decision": number, "run": record.run_id, "trigger": task.trigger_id}
    told = {"deployed": True, "reason": "no-op work is always good enough", **held}
    return Decided(**who, targets=tuple(TargetDecision(name=one.name, **told) for one in record.targets))


def _baselined(task: BaselineTask, record: SetupRecord, who: Who) -> AnyReport:
    window = (record.pipeline.evaluation.prequential.name, "")
    scores = tuple(_scores(record, task.trigger_id, window, (task.first_key, task.last_key)))
    history = {"key": task.last_key + 1, "counts": [1.0, 1.0], "last": 0.0}
    return Baselined(**who, scores=dict.fromkeys(_BASELINES, scores), history=history)


def _checked(task: CheckTask, record: SetupRecord, who: Who) -> AnyReport:
    return Checked(**who, findings=())


_REPORTS: dict[type, Callable[[Any, SetupRecord, Who], AnyReport]] = {
    SelectTask: _selected,
    TrainTask: _trained,
    GatherTask: _gathered,
    EvaluateTask: _evaluated,
    DecideTask: _decided,
    BaselineTask: _baselined,
    CheckTask: _checked,
}


def _object(record: SetupRecord, name: str) -> ArtifactRef:
    """A small file where a worker would have written its object."""
    place = Path(record.artifacts_uri) / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(_BODY)
    return ArtifactRef(name=name, sha256=_SHA256, size_bytes=len(_BODY))


def _scores(
    record: SetupRecord, trigger: TriggerId, window: tuple[str, str], keys: tuple[int, int]
) -> Sequence[MetricValue]:
    """One value for every metric; `window` is its name and slice, `keys` its first and last."""
    return [
        MetricValue(
            trigger_id=trigger,
            window=window[0],
            slice=window[1],
            metric=metric.label,
            value=0.5,
            n=keys[1] - keys[0] + 1,
            first_timestamp_us=0,
            last_timestamp_us=0,
            error=None,
        )
        for metric in record.pipeline.evaluation.metrics
    ]
