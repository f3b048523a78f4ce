"""A model's expected metrics over the rows of a window, and how far its chances were from what came, streaming."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shared.config.pipeline import Metric
from shared.plugins import METRICS
from workers.estimation.calibrated import Calibrated

_BINS = 10


class Estimator:
    """Confidence-based performance estimation: the metrics of expected counts (Białek, Kuberski, Perrakis and Bifet,
    arXiv 2401.08348), where chances are those of labels by calibrated probabilities.

    Sees rows as an entrant of an evaluation does.
    """

    def __init__(self, metrics: Sequence[Metric], calibrated: Calibrated, classes: int) -> None:
        self._calibrated = calibrated
        self._gauges = {one.label: METRICS[one.name].expectation(one.options, classes) for one in metrics}
        self.rows = 0
        self._bins = np.zeros((3, _BINS))  # labelled rows, their chances to be right, and how many were, by chance

    def saw(self, outputs: npt.NDArray[np.floating], labels: npt.NDArray[Any], labelled: npt.NDArray[np.bool_]) -> None:
        """More rows: probabilities (rows, classes), labels (rows,), and which rows have one."""
        if not len(outputs):
            return
        chances = self._calibrated.chances(outputs)
        self.rows += len(outputs)
        for gauge in self._gauges.values():
            gauge.update(torch.from_numpy(np.ascontiguousarray(outputs)), torch.from_numpy(chances))
        self._compare(outputs, chances, labels, labelled)

    def _compare(
        self,
        outputs: npt.NDArray[np.floating],
        chances: npt.NDArray[np.float64],
        labels: npt.NDArray[Any],
        labelled: npt.NDArray[np.bool_],
    ) -> None:
        likeliest = outputs.argmax(axis=1)[labelled]
        chance = chances[labelled, likeliest]
        bins = np.minimum((chance * _BINS).astype(np.int64), _BINS - 1)
        for number, values in enumerate((np.ones(len(chance)), chance, likeliest == labels[labelled])):
            self._bins[number] += np.bincount(bins, values, minlength=_BINS)

    def expected(self, label: str) -> float | None:
        """Of a metric; None without rows, or where it is not estimated."""
        return float(self._gauges[label].compute()) if self.rows and label in self._gauges else None

    def calibration_error(self) -> float | None:
        """Mean distance, over the labelled rows, between chance and share of right answers in each of ten equal bins
        of the chance (Naeini, Cooper and Hauskrecht, AAAI 2015); None without labels.
        """
        rows, chance, right = self._bins
        return float(np.abs(chance - right).sum() / rows.sum()) if rows.sum() else None
