"""evaluate, baseline and decide: scores of models, scores without a model, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch

from shared.errors import ArtifactError
from shared.messages import (
    AnyReport,
    Baselined,
    BaselineTask,
    Decided,
    DecideTask,
    Evaluated,
    EvaluateTask,
    MetricValue,
    Stretch,
    result_of,
)
from shared.metrics import METRICS
from workers.deployment.directory import DecisionStamp, deploy
from workers.deployment.gate import judge
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
        model = load_model_bytes(work.store.read(ref.object), record.trusted_modules)
        for stretch, rows in places:
            chosen = (splits[stretch.window], record.pipeline.data.split)
            found = evaluate(model, rows, dataset, record.pipeline.evaluation.metrics, chosen)
            scores += [_value(score, ref.trigger_id, stretch, rows) for score in found]
    report = Evaluated(**work.who, scores=tuple(scores))
    return report, result_of(report)


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


def run_decide(work: Work) -> tuple[AnyReport, Any]:
    """Judge the candidate by the gate, and write it to every target if it passes."""
    task, record = work.task, work.record
    deployment = record.pipeline.deployment
    assert isinstance(task, DecideTask)
    assert deployment is not None
    if any(isinstance(result, dict) and "failed" in result for result in work.results):
        raise ArtifactError("an evaluation that the gate needs failed; see the journal")
    scores = [msgspec.convert(one, MetricValue) for result in work.results for one in result]
    gate = deployment.gate
    name = next((m.name for m in record.pipeline.evaluation.metrics if gate and m.label == gate.metric), None)
    candidate = _gate_score(scores, gate, task.candidate.trigger_id)
    rival = _gate_score(scores, gate, task.deployed) if task.deployed is not None else None
    verdict = judge(gate, name, candidate, rival)
    if not verdict.deploy:
        return Decided(**work.who, deployed=False, reason=verdict.reason), {}
    stamp = DecisionStamp(run_started_us=record.run_started_us, number=task.trigger_id, run_id=record.run_id)
    about = {
        "trigger": task.trigger_id,
        "model": record.pipeline.model.id,
        "pipeline": record.pipeline.pipeline.name,
        "run": record.run_id,
        "reason": verdict.reason,
    }
    body = work.store.read(task.candidate.object)
    newer = [t.uri for t in deployment.targets if not deploy(Path(t.uri), stamp, work.attempt_name, body, about)]
    reason = verdict.reason if not newer else f"{newer[0]} already holds what a newer run decided ({verdict.reason})"
    return Decided(**work.who, deployed=not newer, reason=reason), {}


def _gate_score(scores: list[MetricValue], gate: Any, trigger_id: int) -> MetricScore | None:
    for score in scores:
        if gate is not None and (score.window, score.metric, score.trigger_id) == (gate.on, gate.metric, trigger_id):
            return MetricScore(label=score.metric, value=score.value, n=score.n, error=score.error)
    return None


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
