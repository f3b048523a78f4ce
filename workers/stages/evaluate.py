"""evaluate and baseline: scores of models, and scores without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch

from shared.artifacts import read_artifact
from shared.errors import ModynError
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
from workers.deployment.directory import DirectoryTarget, Record
from workers.evaluation.baselines import LabelHistory, score_baselines
from workers.evaluation.metrics import MetricScore
from workers.evaluation.windows import Rows, evaluate, resolve
from workers.inference import load_model_bytes
from workers.stages.work import Work


def run_evaluate(work: Work) -> tuple[AnyReport, Any]:
    """Score every model on every stretch. Raises ArtifactError, DataError."""
    task, record, dataset = work.task, work.record, work.dataset()
    assert isinstance(task, EvaluateTask)
    torch.set_num_threads(record.pipeline.training.threads)  # another number of threads gives other scores
    splits = {window.name: window.split for window in record.pipeline.evaluation.on}
    scores: list[MetricValue] = []
    places = [(stretch, resolve(stretch, dataset)) for stretch in task.stretches]
    for ref in task.models:
        model = load_model_bytes(read_artifact(ref.object), record.trusted_modules)
        for stretch, rows in places:
            chosen = (splits[stretch.window], record.pipeline.data.split)
            found = evaluate(model, rows, dataset, record.pipeline.evaluation.metrics, chosen)
            scores += [_value(score, ref.trigger_id, stretch, rows) for score in found]
    rivals = _rivals(work, places[0]) if task.gate else ()
    report = Evaluated(**work.who, scores=tuple(scores), rivals=rivals)
    return report, result_of(report) if task.gate else {}


def _rivals(work: Work, place: tuple[Stretch, Rows]) -> tuple[RivalScores, ...]:
    """What the deployment targets hold now, on the same rows."""
    held: dict[str, RivalScores] = {}
    for target in work.record.targets:
        folder = DirectoryTarget(Path(target.uri))
        record = folder.held()
        if record is not None and record.sha256 not in held:
            held[record.sha256] = score_rival(work, folder, record, place)
    return tuple(held.values())


def score_rival(work: Work, target: DirectoryTarget, held: Record, place: tuple[Stretch, Rows]) -> RivalScores:
    """A model that a target holds, on the gate's rows. One that cannot be scored has no value, and says why."""
    stretch, rows = place
    pipeline = work.record.pipeline
    split = next(window.split for window in pipeline.evaluation.on if window.name == stretch.window)
    metrics = pipeline.evaluation.metrics
    try:
        model = load_model_bytes(target.body(held), work.record.trusted_modules)
        found = evaluate(model, rows, work.dataset(), metrics, (split, pipeline.data.split))
    except ModynError as error:  # it may be of another pipeline, with other columns or classes
        found = [MetricScore(label=one.label, value=None, n=0, error=str(error)) for one in metrics]
    return RivalScores(sha256=held.sha256, scores=tuple(_value(one, held.trigger, stretch, rows) for one in found))


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
    scores = {name: tuple(_value(s, task.trigger_id, stretch, rows) for s in of) for name, of in found.items()}
    return Baselined(**work.who, scores=scores, history=msgspec.to_builtins(history)), {}


def _classes(work: Work) -> int:
    """How many classes labels may have: the model's, or one more than the largest label that exists."""
    metrics = work.record.pipeline.evaluation.metrics
    if METRICS[metrics[0].name].task == "regression":
        return 1
    declared = work.record.pipeline.model.config.get("num_classes")
    dataset = work.dataset()
    return int(declared) if declared else int(dataset.labels(0, dataset.rows).max()) + 1


def _value(score: MetricScore, trigger_id: Any, stretch: Stretch, rows: Rows) -> MetricValue:
    return MetricValue(
        trigger_id=trigger_id,
        window=stretch.window,
        slice=stretch.slice,
        metric=score.label,
        value=score.value,
        n=score.n,
        first_timestamp_us=rows.first_timestamp_us,
        last_timestamp_us=rows.last_timestamp_us,
        error=score.error,
    )
