"""Streaming metrics through torchmetrics, with what is undefined said instead of a number that misleads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torchmetrics import MeanAbsoluteError, MeanMetric, MeanSquaredError
from torchmetrics import Metric as TorchMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassAUROC, MulticlassF1Score

from shared.config.pipeline import Metric

PROBABILITY_FLOOR = 1e-7


class MetricScore(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over the rows it was given; `value` is None where it is undefined, and `error` says why."""

    label: str
    value: float | None
    n: int
    error: str | None


class _LogLoss(MeanMetric):
    """Mean of −ln p(label), probabilities clipped at 1e-7; float64."""

    def __init__(self) -> None:
        super().__init__()
        self.set_dtype(torch.float64)

    def update(self, outputs: torch.Tensor, labels: torch.Tensor) -> None:
        """Add rows: outputs (rows, classes), labels (rows,)."""
        chosen = outputs.double().gather(1, labels[:, None])[:, 0].clamp(PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        super().update(-torch.log(chosen))


_MAKERS: dict[str, Callable[[dict[str, Any], int], TorchMetric]] = {
    # torchmetrics averages over classes by default; accuracy here is the share of rows.
    "accuracy": lambda options, classes: MulticlassAccuracy(classes, average="micro"),
    # With fewer classes than k it is undefined, which `Meter.scores` says; torchmetrics would raise here.
    "top_k": lambda options, classes: MulticlassAccuracy(classes, top_k=min(options["k"], classes), average="micro"),
    "f1": lambda options, classes: MulticlassF1Score(classes, average=options["average"]),
    "auroc": lambda options, classes: MulticlassAUROC(classes, average="none"),
    "log_loss": lambda options, classes: _LogLoss(),
    "mse": lambda options, classes: MeanSquaredError().set_dtype(torch.float64),
    "mae": lambda options, classes: MeanAbsoluteError().set_dtype(torch.float64),
}


class Meter:
    """All metrics over the same rows."""

    def __init__(self, metrics: Sequence[Metric], classes: int | None) -> None:
        self._metrics = metrics
        self._classes = classes
        self._meters = [_MAKERS[metric.name](metric.options, classes or 2) for metric in metrics]
        self._rows = 0
        self._seen = np.zeros(classes or 0, bool)

    def update(self, outputs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
        """Add rows: outputs (rows, classes) or (rows,), labels (rows,)."""
        if len(labels) == 0:
            return
        self._rows += len(labels)
        if self._classes is not None:
            self._seen[np.unique(labels)] = True
        predicted, true = (
            torch.from_numpy(np.ascontiguousarray(outputs)),
            torch.from_numpy(np.ascontiguousarray(labels)),
        )
        for meter in self._meters:
            meter.update(predicted, true)

    def scores(self) -> list[MetricScore]:
        """One score a metric. AUROC is the mean over the classes that occur, and needs two of them."""
        return [self._score(metric, meter) for metric, meter in zip(self._metrics, self._meters, strict=True)]

    def _score(self, metric: Metric, meter: TorchMetric) -> MetricScore:
        error = None
        if self._rows == 0:
            error = "no rows"
        elif metric.name == "auroc" and self._seen.sum() < 2:
            error = "one class only"
        elif metric.name == "top_k" and self._classes is not None and metric.options["k"] > self._classes:
            error = f"the model has only {self._classes} classes"
        if error is not None:
            return MetricScore(label=metric.label, value=None, n=self._rows, error=error)
        with warnings.catch_warnings():
            # AUROC warns of classes that do not occur; they are left out of the mean below.
            warnings.filterwarnings("ignore", "No positive samples in targets", UserWarning)
            value = meter.compute().double().numpy()
        if metric.name == "auroc":
            value = value[self._seen].mean() if len(value) > 2 else value[1]
        return MetricScore(label=metric.label, value=float(value), n=self._rows, error=None)
