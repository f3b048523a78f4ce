"""Metric f1."""

from __future__ import annotations

from typing import Any

from shared.config import fields as f
from shared.metrics.metric import MetricKind, Options


class F1(MetricKind):
    """Harmonic mean of precision and recall: `macro` and `weighted` over classes, `micro` over rows.

    A class that does not occur is left out: the averages are over classes among the labels or the predictions.
    """

    task = "classification"
    estimable = True
    greater_is_better = True
    best, worst = 1.0, 0.0

    class Schema(f.Group):
        """Its options."""

        average = f.Choice("over what", "macro", "micro", "weighted", load_default="macro")

    @classmethod
    def label(cls, name: str, options: Options) -> str:
        """`f1`, `f1_micro`, `f1_weighted`."""
        return name if options["average"] == "macro" else f"{name}_{options['average']}"

    @classmethod
    def gauge(cls, options: Options, classes: int) -> _Gauge:
        """Counts by class."""
        return _Gauge(classes, options["average"])

    @classmethod
    def expectation(cls, options: Options, classes: int) -> _Expected:
        """Expected counts by class."""
        return _Expected(classes, options["average"])


class _Gauge:
    """O(rows · classes), not a table of classes by classes."""

    least = 0.0  # so many rows of a class must be exceeded for it to count

    def __init__(self, classes: int, over: str) -> None:
        self._classes, self._over = classes, over
        self._right: Any = 0  # (classes,) each
        self._labelled: Any = 0
        self._predicted: Any = 0

    def update(self, outputs: Any, labels: Any) -> None:
        likeliest = outputs.argmax(dim=1)
        self._right = self._right + labels[likeliest == labels].bincount(minlength=self._classes)
        self._labelled = self._labelled + labels.bincount(minlength=self._classes)
        self._predicted = self._predicted + likeliest.bincount(minlength=self._classes)

    def compute(self) -> Any:
        right, involved = self._right.double(), (self._labelled + self._predicted).double()
        if self._over == "micro":
            return 2 * right.sum() / involved.sum()
        occurs = involved > self.least
        each = 2 * right[occurs] / involved[occurs]
        if self._over == "macro":
            return each.mean()
        labelled = self._labelled[occurs].double()
        return (each * labelled).sum() / labelled.sum()


class _Expected(_Gauge):
    """The metric of the expected counts. A class that is never predicted must be likely in half a row to count."""

    least = 0.5

    def update(self, outputs: Any, chances: Any) -> None:
        likeliest = outputs.argmax(dim=1)
        right = chances.gather(1, likeliest[:, None])[:, 0].double()
        self._right = self._right + likeliest.bincount(weights=right, minlength=self._classes)
        self._labelled = self._labelled + chances.double().sum(dim=0)
        self._predicted = self._predicted + likeliest.bincount(minlength=self._classes)
