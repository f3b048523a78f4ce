"""What judging needs to be told: losses, scores and prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric
from shared.messages.reports import MetricValue
from supervisor.backtest.judging.course import Stint

Scores = dict[str, MetricValue]  # by the label of the metric


class LossesOf(Protocol):
    """What each model of the grid loses on the rows behind its own: the distance of a metric from its best."""

    @property
    def metric(self) -> Metric:
        """A mean over rows."""
        ...

    def between(self, model: int, first_key: int, stop_key: int) -> float:
        """The sum over rows with first_key ≤ key < stop_key."""
        ...

    def sums(self, model: int, cuts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Those between neighbours of these keys, which ascend: (cuts − 1,)."""
        ...

    def rows(self, first_key: int, stop_key: int) -> int:
        """How many rows these are that have a label, and are evaluated."""
        ...


class ScoresOf(Protocol):
    """What a run would have scored."""

    def of(self, stints: Sequence[Stint]) -> Sequence[Scores]:
        """All metrics of each window, exactly."""
        ...


class PriceOf(Protocol):
    """What a training, a second of it, and a unit of loss cost, in one currency; none is below 0."""

    @property
    def training(self) -> float: ...  # noqa: D102

    @property
    def gpu_second(self) -> float: ...  # noqa: D102

    @property
    def error(self) -> float: ...  # noqa: D102

    @property
    def written(self) -> Any:
        """As it stands in the file: a number or a map."""
        ...

    def of(self, trainings: int, gpu_s: float, loss: float) -> float:
        """The total."""
        ...
