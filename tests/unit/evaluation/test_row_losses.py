"""Losses by row are finite: rows for which a model has none to tell are named, and end the measuring."""

from __future__ import annotations

import numpy as np
import pytest

from shared.config.pipeline import Metric
from shared.errors import TrainingError
from workers.evaluation.row_losses import RowLosses

ALL = np.ones(3, bool)


def watcher(metric: str, classes: int | None) -> RowLosses:
    """Of model 7, on keys 10 to 12."""
    found = RowLosses(Metric(name=metric, label=metric, options={}), 10, ALL, 7)
    found.begin(10, 13, classes)
    return found


def test_predictions_that_are_no_numbers() -> None:
    """They would count as right or wrong by chance."""
    outputs = np.array([[0.5, 0.5], [np.nan, np.nan], [0.1, 0.9]], np.float32)
    with pytest.raises(TrainingError, match=r"^model 7 cannot be judged on keys 10 to 12: the model predicts NaN"):
        watcher("accuracy", 2).saw(outputs, np.array([0, 1, 1]), ALL)


def test_labels_that_the_model_does_not_know() -> None:
    """There is no probability of them."""
    outputs = np.full((3, 2), 0.5, np.float32)
    with pytest.raises(TrainingError, match="label 5 is outside the model's 2 classes"):
        watcher("log_loss", 2).saw(outputs, np.array([0, 5, 1]), ALL)


def test_losses_beyond_all_numbers() -> None:
    """Sums of them would be infinite, and every schedule as bad as any other."""
    with pytest.raises(TrainingError, match="mse gives a loss that is too large"):
        watcher("mse", None).saw(np.array([0.0, 1e200, 0.0]), np.zeros(3), ALL)
