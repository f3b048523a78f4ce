"""Metric top_k."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shared.config import fields as f
from shared.metrics.closeness import are_close
from shared.metrics.metric import MetricKind, Options


class TopK(MetricKind):
    """Share of rows whose label is among the k likeliest classes; of equally likely ones the smaller come first."""

    task = "classification"
    estimable = by_row = is_share = True
    greater_is_better = True
    best, worst = 1.0, 0.0

    class Schema(f.Group):
        """Its options."""

        k = f.Whole("how many of the likeliest classes", load_default=5)

    @classmethod
    def label(cls, name: str, options: Options) -> str:
        """`top_5`."""
        return f"top_{options['k']}"

    @classmethod
    def objection(cls, options: Options, classes: int) -> str | None:
        """Where every class is among the likeliest."""
        if options["k"] <= classes:
            return None
        remedy = "write a smaller one, such as {name: top_k, k: 2}."
        return f"top_k with k = {options['k']} is always right, as the model knows {classes} classes; {remedy}"

    @classmethod
    def undefined(cls, options: Options, occurring: npt.NDArray[np.bool_]) -> str | None:
        """The same, of a model from elsewhere."""
        classes = len(occurring)
        return f"the model has only {classes} classes" if options["k"] > classes else None

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """Counts."""
        return _Gauge(options["k"])

    @classmethod
    def expectation(cls, options: Options, classes: int) -> _Expected:
        """A sum in float64, piece by piece."""
        return _Expected(options["k"])

    @classmethod
    def losses(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """1 for a label that is not among them."""
        return (_likelier(outputs, labels) >= options["k"]).double()

    @classmethod
    def close(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """Where the label is nearly as likely as the k-th of all others."""
        own, place = labels[:, None], min(options["k"], outputs.shape[1])
        others = outputs.scatter(1, own, 0.0).topk(place, dim=1).values[:, -1]
        return are_close(outputs.gather(1, own)[:, 0], others)


def _likelier(outputs: Any, labels: Any) -> Any:
    """How many classes come before each label, (rows,)."""
    wanted, column = outputs.gather(1, labels[:, None]), labels.new_tensor(range(outputs.shape[1]))
    before = (outputs > wanted) | ((outputs == wanted) & (column < labels[:, None]))
    return before.sum(dim=1)


class _Gauge:
    def __init__(self, k: int) -> None:
        self._k = k
        self._hits: Any = 0
        self._rows = 0

    def update(self, outputs: Any, labels: Any) -> None:
        self._hits = self._hits + (_likelier(outputs, labels) < self._k).sum()
        self._rows += len(labels)

    def compute(self) -> Any:
        return self._hits.double() / self._rows


class _Expected:
    def __init__(self, k: int) -> None:
        self._k = k
        self._hits: Any = 0
        self._rows = 0

    def update(self, outputs: Any, chances: Any) -> None:
        likeliest = outputs.sort(dim=1, descending=True, stable=True).indices[:, : self._k]
        self._hits = self._hits + chances.gather(1, likeliest).double().sum()
        self._rows += len(outputs)

    def compute(self) -> Any:
        return self._hits / self._rows
