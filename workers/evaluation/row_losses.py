"""What a model comes to on each of some rows, as it meets them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shared.config.pipeline import Metric
from shared.errors import TrainingError
from shared.plugins import METRICS
from workers.evaluation.counted import Which
from workers.evaluation.metrics import problem_of


class RowLosses:
    """Watches an entrant: `losses`, float64 (rows,), 0 where a row does not count; `counts`, whether it does.

    `close`: whether rounding decides its loss; of a metric that is a share.
    """

    def __init__(self, metric: Metric, first_key: int, in_split: Which, model: int = 0) -> None:
        """`in_split`: which of the rows from `first_key` on do, if they have a label; `model`: its trigger."""
        self.losses = np.zeros(len(in_split))
        self.counts, self.close = np.zeros(len(in_split), bool), np.zeros(len(in_split), bool)
        self._metric, self._first_key, self._in_split = metric, first_key, in_split
        self._places = np.empty(0, np.int64)  # of the rows that it is to meet
        self._classes: int | None = None
        self._model = model

    def begin(self, first_key: int, stop_key: int, classes: int | None) -> None:
        """These rows come next, from the first; `classes`: of the model, None if it predicts numbers."""
        start = first_key - self._first_key
        self._places = np.flatnonzero(self._in_split[start : stop_key - self._first_key]) + start
        self._classes = classes

    def saw(self, outputs: npt.NDArray[Any], labels: npt.NDArray[Any], labelled: npt.NDArray[np.bool_]) -> None:
        """More rows of the split: outputs (rows, classes) or (rows,), labels (rows,), and which rows have one.

        Raises TrainingError where no loss can be told.
        """
        places, self._places = self._places[: len(labels)][labelled], self._places[len(labels) :]
        outputs, labels, of_numbers = outputs[labelled], labels[labelled], self._classes is None
        problem = problem_of(outputs, labels, self._classes)
        if problem is not None:
            raise self._untold(problem, places)
        predicted = torch.from_numpy(np.require(outputs, np.float64 if of_numbers else None, ["C", "W"]))
        true = torch.from_numpy(np.require(labels, np.float64 if of_numbers else np.int64, ["C", "W"]))
        kind, options = METRICS[self._metric.name], self._metric.options
        losses = kind.losses(options, predicted, true).numpy()
        if not np.isfinite(losses).all():
            raise self._untold(f"{self._metric.label} gives a loss that is too large, or no number", places)
        self.losses[places] = losses
        if kind.is_share:
            self.close[places] = kind.close(options, predicted, true).numpy()
        self.counts[places] = True

    def _untold(self, problem: str, places: npt.NDArray[np.int64]) -> TrainingError:
        keys = f"keys {places[0] + self._first_key:,} to {places[-1] + self._first_key:,}"
        return TrainingError(f"model {self._model} cannot be judged on {keys}: {problem}.")

    def leave_out(self, key: int) -> None:
        """A row is bad, and does not count."""
        self.losses[key - self._first_key] = 0.0
        self.counts[key - self._first_key] = self.close[key - self._first_key] = False
