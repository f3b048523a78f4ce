"""evaluate and baseline: scores of models, and scores without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch

from shared.messages import (
    AnyReport,
    Baselined,
    BaselineTask,
    Evaluated,
    EvaluateTask,
    MetricValue,
    RivalScores,
    Stretch,
    result_of,
)
from shared.metrics import METRICS
from workers.deployment.directory import DirectoryTarget
from workers.evaluation.baselines import LabelHistory, score_baselines
from workers.evaluation.windows import Rows
from workers.stages.scoring import Rival, committed, device_of, entrant, meet, value
from workers.stages.work import Work
from workers.training.randomness import fix_arithmetic


def run_evaluate(work: Work) -> tuple[AnyReport, Any]:
    """Score every model on every stretch; for a gate also what the targets hold. Raises ArtifactError, DataError."""
    task = work.task
    assert isinstance(task, EvaluateTask)
    torch.set_num_threads(work.record.pipeline.training.threads)  # another number of threads gives other scores
    device = device_of(task.device)
    if device != "cpu":
        fix_arithmetic()
    models = [committed(work, ref.object, device) for ref in task.models]
    rivals = _rivals(work, device) if task.gate else []
    scores: list[MetricValue] = []
    told: list[RivalScores] = []
    for stretch in task.stretches:
        entrants = [entrant(work, model) for model in models]
        rows = meet(work, stretch, [*entrants, *(one for rival in rivals for one in rival.entrants)])
        for ref, one in zip(task.models, entrants, strict=True):
            scores += [value(score, ref.trigger_id, stretch, rows) for score in one.scores()]
        told += [rival.scores(stretch, rows) for rival in rivals]
    report = Evaluated(**work.who, scores=tuple(scores), rivals=tuple(told))
    return report, result_of(report) if task.gate else {}


def _rivals(work: Work, device: str) -> list[Rival]:
    """What the deployment targets hold now, each model once."""
    held: dict[str, Rival] = {}
    for target in work.record.targets:
        folder = DirectoryTarget(Path(target.uri))
        record = folder.held()
        if record is not None and record.sha256 not in held:
            held[record.sha256] = Rival(work, folder, record, device)
    return list(held.values())


def run_baseline(work: Work) -> tuple[AnyReport, Any]:
    """Score majority and no_change on one window, and hand the label counts on. Raises DataError."""
    task, pipeline, dataset = work.task, work.record.pipeline, work.dataset()
    assert isinstance(task, BaselineTask)
    metrics = pipeline.evaluation.metrics
    history = (
        msgspec.convert(task.history, LabelHistory)
        if task.history is not None
        else LabelHistory(key=0, counts=(0.0,) * _classes(work), last=0.0)
    )
    found, history = score_baselines(dataset, task.first_key, task.last_key + 1, metrics, history)
    stretch = Stretch(
        window=pipeline.evaluation.prequential.name,
        slice="",
        first_key=task.first_key,
        last_key=task.last_key,
        after_us=None,
        event_time_us=None,
    )
    rows = Rows(first_key=task.first_key, stop_key=task.last_key + 1, first_timestamp_us=None, last_timestamp_us=None)
    scores = {name: tuple(value(s, task.trigger_id, stretch, rows) for s in of) for name, of in found.items()}
    return Baselined(**work.who, scores=scores, history=msgspec.to_builtins(history)), {}


def _classes(work: Work) -> int:
    """How many classes labels may have: the model's, or one more than the largest label that exists."""
    metrics = work.record.pipeline.evaluation.metrics
    if METRICS[metrics[0].name].task == "regression":
        return 1
    declared = work.record.pipeline.model.config.get("num_classes")
    dataset = work.dataset()
    return int(declared) if declared else int(dataset.labels(0, dataset.rows).max()) + 1
