"""What a metric is: what it says of models, its options, and how it is computed over rows that come in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from shared.config.fields import Group

Options = Mapping[str, Any]


class Gauge(Protocol):
    """One measurement, on torch tensors. The same rows in the same pieces give the same bits.

    Pieces end where files, row groups and blocks of text end. What only counts or ranks (accuracy, top_k, f1, auroc)
    is the same in any pieces; sums in float64 (log_loss, mse, mae) then differ in their last digits, so that rows
    written into other files may score differently there.
    """

    def update(self, outputs: Any, labels: Any) -> None:
        """Add rows: probabilities (rows, classes) or values (rows,), and labels (rows,)."""
        ...

    def compute(self) -> Any:
        """The value over all rows, at least one, as a float64 scalar."""
        ...


class Expectation(Protocol):
    """What a metric comes to over rows whose labels nobody knows, but how likely each class is, on torch tensors."""

    def update(self, outputs: Any, chances: Any) -> None:
        """Add rows: the model's outputs, and how likely each class is the label, both (rows, classes)."""
        ...

    def compute(self) -> Any:
        """The value over all rows, at least one, as a float64 scalar."""
        ...


class MetricKind:
    """The base of all. A supervisor reads what is said here; only workers make gauges, which need torch."""

    task: ClassVar[Literal["classification", "regression"]]
    greater_is_better: ClassVar[bool]
    best: ClassVar[float | None] = None  # the value of a model without a mistake; None: there is no such bound
    worst: ClassVar[float | None] = None  # what no model falls short of; None: there is no such bound
    estimable: ClassVar[bool] = False  # whether it has an `expectation`
    by_row: ClassVar[bool] = False  # whether it is a mean over rows, each of which has its own of its `losses`
    is_share: ClassVar[bool] = False  # whether it is the share of rows whose loss is 0; that of all others is 1
    Schema: ClassVar[type[Group]] = Group  # of the options, beside `name:`

    @classmethod
    def label(cls, name: str, options: Options) -> str:
        """What tables call it; two metrics of a pipeline must differ in this."""
        return name

    @classmethod
    def objection(cls, options: Options, classes: int) -> str | None:
        """Why it says nothing of any model of so many classes; None if it does."""
        return None

    @classmethod
    def undefined(cls, options: Options, occurring: npt.NDArray[np.bool_]) -> str | None:
        """Why it has no value over rows in which these classes occur, shape (classes,); None if it has."""
        return None

    @classmethod
    def gauge(cls, options: Options, classes: int) -> Gauge:
        """A new measurement; `classes` is 0 for models that estimate numbers."""
        raise NotImplementedError

    @classmethod
    def expectation(cls, options: Options, classes: int) -> Expectation:
        """A new one, of metrics that are `estimable`."""
        raise NotImplementedError

    @classmethod
    def losses(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """How far each row is from the `best`, of metrics that are `by_row`: float64 (rows,), none below zero.

        Torch tensors, as a gauge is given them; the mean of these is as far from the best as the metric is.
        """
        raise NotImplementedError

    @classmethod
    def close(cls, options: Options, outputs: Any, labels: Any) -> Any:
        """Which rows may have the other loss where outputs are rounded otherwise, of metrics that are a share: (rows,).

        The last bits of a row's outputs depend on how many rows are predicted with it.
        """
        raise NotImplementedError
