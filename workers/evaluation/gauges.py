"""The metrics themselves: torchmetrics states, averaged in float64.

torchmetrics averages in float32 and, by default, over classes; its AUROC of one class is 0. So its states are kept
and the averages are taken here. A class that does not occur is left out: macro F1 averages over the classes among
the labels or the predictions, macro AUROC over the classes among the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanMetric, MeanSquaredError
from torchmetrics import Metric as Gauge
from torchmetrics.classification import MulticlassStatScores
from torchmetrics.utilities import dim_zero_cat

PROBABILITY_FLOOR = 1e-7


class Accuracy(MulticlassStatScores):
    """Share of rows whose likeliest class is the label; of equally likely classes the smallest counts."""

    tp: Tensor
    fn: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__(classes, average="micro", validate_args=False)

    def compute(self) -> Tensor:
        """Float64 scalar."""
        return self.tp.double() / (self.tp + self.fn)


class F1(Gauge):
    """Harmonic mean of precision and recall: `macro` and `weighted` over classes, `micro` over rows."""

    right: Tensor
    labelled: Tensor
    predicted: Tensor

    def __init__(self, classes: int, over: str) -> None:
        super().__init__()
        self._classes, self._over = classes, over
        for state in ("right", "labelled", "predicted"):
            self.add_state(state, torch.zeros(classes, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, outputs: Tensor, labels: Tensor) -> None:
        """Add rows: outputs (rows, classes), labels (rows,). O(rows · classes), not a table of classes by classes."""
        likeliest = outputs.argmax(dim=1)
        self.right += torch.bincount(labels[likeliest == labels], minlength=self._classes)
        self.labelled += torch.bincount(labels, minlength=self._classes)
        self.predicted += torch.bincount(likeliest, minlength=self._classes)

    def compute(self) -> Tensor:
        """Float64 scalar."""
        right, involved = self.right.double(), (self.labelled + self.predicted).double()
        if self._over == "micro":
            return 2 * right.sum() / involved.sum()
        occurs = involved > 0
        each = 2 * right[occurs] / involved[occurs]
        if self._over == "macro":
            return each.mean()
        labelled = self.labelled[occurs].double()
        return (each * labelled).sum() / labelled.sum()


class TopK(Gauge):
    """Share of rows whose label is among the k likeliest classes; of equally likely ones the smaller come first."""

    hits: Tensor
    rows: Tensor

    def __init__(self, k: int) -> None:
        super().__init__()
        self._k = k
        self.add_state("hits", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("rows", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, outputs: Tensor, labels: Tensor) -> None:
        """Add rows: outputs (rows, classes), labels (rows,)."""
        wanted, column = outputs.gather(1, labels[:, None]), torch.arange(outputs.shape[1])
        before = (outputs > wanted) | ((outputs == wanted) & (column < labels[:, None]))
        self.hits += (before.sum(dim=1) < self._k).sum()
        self.rows += len(labels)

    def compute(self) -> Tensor:
        """Float64 scalar."""
        return self.hits.double() / self.rows


class LogLoss(MeanMetric):
    """Mean of −ln p(label), probabilities clipped at 1e-7."""

    def __init__(self) -> None:
        super().__init__(nan_strategy="disable")
        self.set_dtype(torch.float64)

    def update(self, outputs: Tensor, labels: Tensor) -> None:  # type: ignore[override]
        """Add rows: outputs (rows, classes), labels (rows,)."""
        chosen = outputs.gather(1, labels[:, None])[:, 0].double()
        super().update(-torch.log(chosen.clamp(PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)))


class Auroc(Gauge):
    """Area under the ROC curve, exact: of class 1 for two classes, else the mean of one class against the rest.

    It keeps the outputs of all its rows, float32 (rows, classes), for two classes (rows, 1).
    """

    outputs: list[Tensor]
    labels: list[Tensor]

    def __init__(self, classes: int) -> None:
        super().__init__()
        self._kept = [1] if classes == 2 else list(range(classes))
        self.add_state("outputs", [], dist_reduce_fx="cat")
        self.add_state("labels", [], dist_reduce_fx="cat")

    def update(self, outputs: Tensor, labels: Tensor) -> None:
        """Add rows: outputs (rows, classes), labels (rows,)."""
        self.outputs.append(outputs[:, self._kept])
        self.labels.append(labels)

    def compute(self) -> Tensor:
        """Float64 scalar; at least two classes must occur."""
        outputs, labels = dim_zero_cat(self.outputs).numpy(), dim_zero_cat(self.labels).numpy()
        present = set(np.unique(labels).tolist())
        areas = [area(outputs[:, i], labels == c) for i, c in enumerate(self._kept) if c in present]
        return torch.tensor(np.mean(areas), dtype=torch.float64)


def area(scores: npt.NDArray[Any], positive: npt.NDArray[np.bool_]) -> float:
    """The share of (positive, negative) pairs that the scores put in order, ties half (Mann and Whitney, 1947).

    By ranks, whose sums are exact in float64, so that neither order nor batches of the rows matter. (rows,), (rows,).
    """
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(ties) - (ties - 1) / 2
    positives = int(positive.sum())
    above = rank[place[positive]].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(positive) - positives)))


GAUGES: dict[str, Callable[[dict[str, Any], int], Gauge]] = {
    "accuracy": lambda options, classes: Accuracy(classes),
    "top_k": lambda options, classes: TopK(options["k"]),
    "f1": lambda options, classes: F1(classes, options.get("average", "macro")),
    "auroc": lambda options, classes: Auroc(classes),
    "log_loss": lambda options, classes: LogLoss(),
    "mse": lambda options, classes: MeanSquaredError().set_dtype(torch.float64),
    "mae": lambda options, classes: MeanAbsoluteError().set_dtype(torch.float64),
}
