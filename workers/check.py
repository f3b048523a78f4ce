"""What only the framework can find wrong with a pipeline, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from shared.blame import blame
from shared.class_names import ClassNames
from shared.config.pipeline import Metric, Pipeline
from shared.errors import ConfigurationError, DataError, ModynError, NotReadyError
from shared.messages.reports import Finding
from shared.plugins import METRICS
from workers.construction import FindingsError
from workers.detection.drift_check import refuse_after_drift, refuse_drift
from workers.evaluation.metrics import Meter
from workers.failures import device_is_broken
from workers.features.source import SampleSource
from workers.models.build import MODELS, model_findings
from workers.selection.balance_check import balance_findings
from workers.selection.coreset.check import per_class_findings
from workers.selection.importance.check import refuse_importance
from workers.training.device import choose_device
from workers.training.label_check import label_findings
from workers.training.losses import LOSSES, LossKind, loss_findings, loss_kind, make_objective
from workers.training.no_effect import infobatch_findings
from workers.training.optimizers import make_optimizer, make_schedule
from workers.training.start import PRETRAINED_PATH, apply_start, refuse_other_names, starting_model
from workers.training.steps import too_short
from workers.training.trial import Trial, make_trial, train_once

_TRIED_ROWS = 8


def check(
    pipeline: Pipeline, dataset: SampleSource | None, trusted_modules: Sequence[str], device: str
) -> list[Finding]:
    """All that is wrong with device, optimizer, scheduler, loss, model, metrics and labels; empty if all is well.

    Makes each part, trains on a few rows and reads every label there is. Without a dataset, or with an empty one,
    made-up rows take its place and labels are not checked. Leaves torch's random numbers as they were.
    """
    source = dataset if dataset is not None and dataset.rows else None
    findings: list[Finding] = []
    with torch.random.fork_rng(devices=[]):
        with _noting(findings, "training.device"):
            choose_device(device)
        findings += _part_findings(pipeline, source)
        trial = _try_model(findings, pipeline, source, trusted_modules)
        if trial is not None and not findings:
            with _noting(findings, "model.id"):
                train_once(trial, pipeline.training, choose_device(device))
        with _noting(findings, "trigger"):
            refuse_drift(pipeline.trigger, source, trial)
        with _noting(findings, "trigger.after_drift"):
            refuse_after_drift(pipeline.trigger.guards.get("after_drift"), source)
        with _noting(findings, "strategy"):
            refuse_importance(pipeline, source, trial, trusted_modules)
        with _noting(findings, "strategy"):
            findings += balance_findings(pipeline, source)
    if pipeline.training.loss.name in LOSSES:
        kind = loss_kind(pipeline.training.loss)
        findings += _metric_findings(pipeline, kind, trial)
        if source is not None and trial is not None:
            with _noting(findings, "data.dataset"):
                findings += label_findings(source, pipeline.training.loss.name, trial.outputs)
    return findings


@contextmanager
def _noting(findings: list[Finding], path: str) -> Iterator[None]:
    """Turn what the block raises into findings at `path`: exit code 3 where machine or data are at fault, else 2.

    A device that fails says nothing of the pipeline: that is raised, so that another worker checks it.
    """
    try:
        yield
    except ModynError as error:
        if device_is_broken(error):
            raise
        findings.extend(_findings_in(error, path))


def _findings_in(error: ModynError, path: str) -> list[Finding]:
    if isinstance(error, FindingsError):
        return list(error.findings)
    if isinstance(error, NotReadyError | ConfigurationError):
        return [Finding(path=path, sentence=one, exit_code=error.exit_code) for one in error.problems]
    if isinstance(error, DataError):
        return [Finding(path="data.dataset", sentence=str(error), exit_code=NotReadyError.exit_code)]
    return [Finding(path=path, sentence=str(error))]


def _part_findings(pipeline: Pipeline, source: SampleSource | None) -> list[Finding]:
    """Optimizer, scheduler and loss, each made by itself, so that one mistake does not hide another."""
    training, findings = pipeline.training, list[Finding]()
    stand_in = nn.Linear(2, 2, bias=False)
    # With a momentum, for the schedulers that move it.
    optimizer: torch.optim.Optimizer = torch.optim.SGD(stand_in.parameters(), lr=0.1, momentum=0.9)
    with _noting(findings, "training.optimizer"):
        optimizer = make_optimizer(training.optimizer, stand_in.parameters())
    with _noting(findings, "training.lr_scheduler"):
        ends = too_short(make_schedule(training.lr_scheduler, optimizer), pipeline, source)
        findings += [ends] if ends is not None else []
    findings += infobatch_findings(pipeline)
    findings += per_class_findings(pipeline)
    findings += loss_findings(training.loss)
    if not any(finding.path.startswith("training.loss") for finding in findings):
        with _noting(findings, "training.loss"):
            make_objective(training.loss)
    return findings


def _try_model(
    findings: list[Finding], pipeline: Pipeline, source: SampleSource | None, trusted: Sequence[str]
) -> Trial | None:
    """Make the model and its starting weights, noting what is wrong. None if there is nothing to go on with."""
    if named := model_findings(pipeline.model, trusted):
        findings += named
        return None
    # A class of one's own may fail on made-up rows and be right for the real ones.
    if pipeline.training.loss.name not in LOSSES or (source is None and pipeline.model.id not in MODELS):
        return None
    start = None
    with _noting(findings, PRETRAINED_PATH):
        start = starting_model(pipeline.model, previous=None)
    trial = None
    with _noting(findings, PRETRAINED_PATH):
        if source is not None and source.config.classes is not None:
            refuse_other_names(start, ClassNames(names=source.config.classes, until=None))
        trial = make_trial(pipeline.model, pipeline.training, source, start, trusted)
        apply_start(start, trial.model, trial.encoder)
    return trial


def _metric_findings(pipeline: Pipeline, kind: LossKind, trial: Trial | None) -> list[Finding]:
    """Metrics that a model trained under this loss cannot be measured by."""
    classes = None if trial is None else max(trial.outputs, 2)
    metrics = pipeline.evaluation.metrics
    return [
        Finding(path="evaluation.metrics", sentence=sentence)
        for metric in metrics
        if (sentence := _metric_problem(metric, pipeline.training.loss.name, kind, classes))
    ]


def _metric_problem(metric: Metric, loss: str, kind: LossKind, classes: int | None) -> str | None:
    if METRICS[metric.name].task != kind.task:
        usable = ", ".join(name for name, other in METRICS.items() if other.task == kind.task)
        return f"{metric.name} does not measure what {loss} learns, which is a {kind.task}; choose from {usable}."
    if classes is None:
        return None
    found: str | None = METRICS[metric.name].objection(metric.options, classes)
    return found or _measuring_problem(metric, classes if kind.task == "classification" else None)


def _measuring_problem(metric: Metric, classes: int | None) -> str | None:
    """What goes wrong when the metric is computed, tried on made-up predictions."""
    rows = np.arange(_TRIED_ROWS)
    outputs = rows.astype(np.float64) if classes is None else np.full((_TRIED_ROWS, classes), 1 / classes)
    try:
        meter = Meter([metric], classes)
        meter.update(outputs, rows if classes is None else rows % classes)
        meter.scores()
    except Exception as error:  # a class of one's own
        return f"{metric.label} cannot be computed, tried on made-up predictions: {blame(error)}"
    return None
