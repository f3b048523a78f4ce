"""Every metric agrees with scikit-learn to the last digits, in whatever pieces the rows come."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as reference

from shared.config.pipeline import Metric
from shared.plugins import METRICS
from workers.evaluation.metrics import Meter


def metric(name, label=None, **options):
    """A metric as the configuration gives it."""
    return Metric(name=name, label=label or name, options=options)


def measured(metrics, outputs, labels, cuts=()):
    """Scores by label, of rows that come in pieces."""
    meter = Meter(metrics, outputs.shape[1] if outputs.ndim == 2 else None)
    for piece in zip(np.split(outputs, cuts), np.split(labels, cuts), strict=True):
        meter.update(*piece)
    return {score.metric: score for score in meter.scores()}


def value(name, outputs, labels, **options):
    """One metric of rows that come at once."""
    return measured([metric(name, **options)], np.array(outputs), np.array(labels))[name].value


def sample(classes, rows=3_000, seed=0):
    """Softmax outputs, float32, and labels that they half know."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) + np.eye(classes)[labels]
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels


ALL = [
    metric("accuracy"),
    metric("top_k", k=2),
    metric("f1", "macro", average="macro"),
    metric("f1", "micro", average="micro"),
    metric("f1", "weighted", average="weighted"),
    metric("auroc"),
    metric("log_loss"),
]


def expected(outputs, labels):
    """What scikit-learn says."""
    likeliest, classes = outputs.argmax(axis=1), outputs.shape[1]
    areas = [reference.roc_auc_score(labels == c, outputs[:, c]) for c in ([1] if classes == 2 else range(classes))]
    ranked = np.argsort(-outputs, axis=1)[:, :2]
    return {
        "accuracy": reference.accuracy_score(labels, likeliest),
        "top_k": float(np.mean((ranked == labels[:, None]).any(axis=1))),
        **{over: reference.f1_score(labels, likeliest, average=over) for over in ("macro", "micro", "weighted")},
        "auroc": np.mean(areas),
        "log_loss": -np.mean(np.log(outputs[np.arange(len(labels)), labels].astype(np.float64))),
    }


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classification_agrees_with_scikit_learn(classes):
    """All metrics, rows in uneven pieces, to 12 digits."""
    outputs, labels = sample(classes)
    scores = measured(ALL, outputs, labels, cuts=(1, 1, 700, 2_999))
    assert {label: score.value for label, score in scores.items()} == {
        label: pytest.approx(wanted, rel=1e-12) for label, wanted in expected(outputs, labels).items()
    }
    assert {(score.n, score.error) for score in scores.values()} == {(3_000, None)}


def test_regression_agrees_with_scikit_learn():
    """Squares are summed in float64, so that a large offset does not drown the errors."""
    labels = 1e6 + np.random.default_rng(0).normal(size=40_000)
    outputs = (labels + 0.25).astype(np.float32)
    scores = measured([metric("mse"), metric("mae")], outputs, labels, cuts=(10,))
    assert scores["mse"].value == pytest.approx(reference.mean_squared_error(labels, outputs), rel=1e-12)
    assert scores["mae"].value == pytest.approx(reference.mean_absolute_error(labels, outputs), rel=1e-12)


def test_pieces_do_not_matter():
    """What is counted is the same to the last bit, however the rows were cut."""
    outputs, labels = sample(3)
    counted = [one for one in ALL if one.name != "log_loss"]
    assert measured(counted, outputs, labels) == measured(counted, outputs, labels, cuts=(5, 1_234))


def test_sums_are_the_same_in_the_same_pieces():
    """What is summed is the same to the last bit in the same pieces, and to 13 digits in any others."""
    random = np.random.default_rng(0)
    outputs, labels = random.normal(size=(2, 100_000))
    sums = [metric("mse"), metric("mae")]
    cuts = (777, 16_385, 90_000)
    at_once, cut = measured(sums, outputs, labels), measured(sums, outputs, labels, cuts)
    assert cut == measured(sums, outputs, labels, cuts)
    for name in ("mse", "mae"):
        assert cut[name].value == pytest.approx(at_once[name].value, rel=1e-13)


def test_classes_that_do_not_occur_are_left_out():
    """Macro averages are over the classes there are: for F1 among labels or predictions, for AUROC among labels."""
    outputs, labels = sample(4)
    outputs[:, 3] = 0
    kept = labels < 3
    outputs, labels = outputs[kept], labels[kept]
    found = measured([metric("f1", average="macro"), metric("auroc")], outputs, labels)
    areas = [reference.roc_auc_score(labels == c, outputs[:, c]) for c in range(3)]
    assert found["f1"].value == pytest.approx(reference.f1_score(labels, outputs.argmax(axis=1), average="macro"))
    assert found["auroc"].value == pytest.approx(np.mean(areas), rel=1e-12)


def test_f1_counts_a_class_that_is_only_predicted():
    """A class that the model sees where it is not has an F1 of 0."""
    assert value("f1", [[0.0, 1.0], [1.0, 0.0]], [0, 0], average="macro") == pytest.approx((2 / 3 + 0) / 2)


def test_f1_averages_over_classes_unless_told():
    """Without `average`, F1 is macro."""
    assert METRICS["f1"].Schema().load({}) == {"average": "macro"}


def test_equal_outputs_mean_the_smallest_class():
    """Ties go to the smallest class, for accuracy and top-k alike, so top-1 is accuracy."""
    outputs, labels = np.full((6, 4), 0.25), np.array([0, 0, 0, 1, 2, 3])
    assert value("accuracy", outputs, labels) == value("top_k", outputs, labels, k=1) == 0.5
    assert value("top_k", outputs, labels, k=2) == pytest.approx(4 / 6)


def test_log_loss_of_a_wrong_certainty_is_finite():
    """A probability of 0 counts as 1e-7."""
    assert value("log_loss", [[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    ("outputs", "labels", "error"),
    [
        ([[np.nan, 0.5]], [0], "the model predicts NaN or infinity"),
        ([[0.5, 0.5]], [2], "label 2 is outside the model's 2 classes"),
        ([[0.5, 0.5]], [-1], "label -1 is outside the model's 2 classes"),
    ],
)
def test_rows_that_cannot_be_scored_make_all_undefined(outputs, labels, error):
    """One bad piece, and each metric is undefined for the reason it gives; all rows count."""
    meter = Meter(ALL, 2)
    meter.update(np.array(outputs), np.array(labels))
    meter.update(*sample(2, rows=9))
    assert {(score.value, score.n, score.error) for score in meter.scores()} == {(None, 10, error)}


def test_numbers_too_large_are_undefined():
    """Squares beyond float64 are no score."""
    (score,) = measured([metric("mse")], np.array([1e200]), np.array([-1e200])).values()
    assert (score.value, score.error) == (None, "too large for a number")


def test_read_only_rows_are_measured():
    """Arrow lends memory that may not be written to; torch does not complain of it."""
    outputs, labels = sample(2)
    outputs.flags.writeable = labels.flags.writeable = False
    assert measured(ALL, outputs, labels)["accuracy"].error is None
