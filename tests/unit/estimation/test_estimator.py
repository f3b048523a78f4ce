"""Expected metrics are what metrics come to on the average, where chances are true."""

from __future__ import annotations

import numpy as np
import pytest

from shared.config.pipeline import Metric
from workers.estimation.calibrated import Calibrated
from workers.estimation.estimator import Estimator
from workers.evaluation.metrics import Meter

METRICS = [
    Metric(name="accuracy", label="accuracy", options={}),
    Metric(name="top_k", label="top_2", options={"k": 2}),
    Metric(name="log_loss", label="log_loss", options={}),
    *(Metric(name="f1", label=f"f1_{one}", options={"average": one}) for one in ("macro", "micro", "weighted")),
]


class True_(Calibrated):  # noqa: N801
    """Knows the chances."""

    def __init__(self, chances):
        self._chances = chances

    def chances(self, outputs):
        """Those of the rows."""
        return self._chances[: len(outputs)]


@pytest.fixture
def rows():
    """Chances of four classes, the last of which hardly occurs, and what a model makes of them."""
    random = np.random.default_rng(0)
    chances = random.dirichlet([2, 1, 1, 0.1], 4_000)
    outputs = chances**0.5 + random.uniform(0, 0.2, chances.shape)
    return chances, (outputs / outputs.sum(axis=1, keepdims=True)).astype(np.float32)


def test_metrics_are_their_mean_over_labels_that_are_drawn(rows):
    """Each within three standard errors and a little of forty draws."""
    chances, outputs = rows
    estimator = Estimator(METRICS, True_(chances), 4)
    estimator.saw(outputs, np.zeros(4_000, np.int64), np.zeros(4_000, np.bool_))
    random, drawn = np.random.default_rng(1), []
    for _ in range(40):
        meter = Meter(METRICS, 4)
        meter.update(outputs, (chances.cumsum(axis=1) < random.random((4_000, 1))).sum(axis=1))
        drawn.append([one.value for one in meter.scores()])
    means, errors = np.mean(drawn, axis=0), np.std(drawn, axis=0) / np.sqrt(40)
    for metric, mean, error in zip(METRICS, means, errors, strict=True):
        assert abs(estimator.expected(metric.label) - mean) < 3 * error + 5e-4, metric.label
    assert estimator.expected("auroc") is None
    assert (estimator.rows, estimator.calibration_error()) == (4_000, None)


def test_how_far_chances_are_from_what_came_is_of_labelled_rows_alone():
    """Eight in ten are right where chances say six: off by .2; of rows without a label nothing is known."""
    outputs = np.tile(np.array([[0.4, 0.6]], np.float32), (20, 1))
    estimator = Estimator(METRICS[:1], True_(np.tile([[0.4, 0.6]], (20, 1))), 2)
    labels = np.array([1] * 8 + [0] * 12)
    estimator.saw(outputs, labels, np.arange(20) < 10)
    assert estimator.calibration_error() == pytest.approx(0.2)
    assert estimator.expected("accuracy") == pytest.approx(0.6)
    nothing = Estimator(METRICS[:1], True_(np.empty((0, 2))), 2)
    nothing.saw(outputs[:0], labels[:0], np.empty(0, np.bool_))
    assert (nothing.expected("accuracy"), nothing.calibration_error()) == (None, None)
