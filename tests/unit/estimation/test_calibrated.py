"""Probabilities that are wrong become chances that are right, of two classes and of several."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from workers.estimation.calibrated import Calibrated


def drawn(classes: int, rows: int, seed: int = 0):
    """Chances, labels drawn by them, and outputs of a model that is far too sure of itself."""
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.ones(classes), rows)
    labels = (chances.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    sure = chances**3
    return chances, labels, (sure / sure.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_model_that_is_too_sure_is_put_right(classes):
    """On rows that were not calibrated on."""
    _, labels, outputs = drawn(classes, 5_000)
    chances, _, others = drawn(classes, 5_000, seed=1)
    found = Calibrated(outputs, labels).chances(others)
    assert np.allclose(found.sum(axis=1), 1)
    picked = np.arange(len(others)), others.argmax(axis=1)
    assert abs(found[picked].mean() - chances[picked].mean()) < 0.015
    assert abs(others[picked].mean() - chances[picked].mean()) > 0.1


def test_two_classes_have_the_chances_of_isotonic_regression():
    """As scikit-learn has it, weights and equal scores included."""
    _, labels, outputs = drawn(2, 400)
    outputs, weights = outputs.round(2), np.random.default_rng(2).uniform(0.1, 5, 400)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(outputs[:, 1], labels, weights)
    asked = np.linspace(0, 1, 101)
    found = Calibrated(outputs, labels, weights).chances(np.stack([1 - asked, asked], axis=1))
    assert np.allclose(found[:, 1], theirs.predict(asked), atol=1e-9)


def test_where_nothing_like_it_was_seen_the_model_is_believed():
    """Of three classes none was ever the label at such probabilities."""
    outputs, labels = np.array([[0.9, 0.1, 0.0], [0.8, 0.0, 0.2]] * 30), np.zeros(60, np.int64)
    found = Calibrated(outputs, labels).chances(np.array([[0.1, 0.6, 0.3]]))
    assert found.sum() == pytest.approx(1)
    never = Calibrated(outputs[:, [1, 0, 2]], np.full(60, 7)).chances(np.array([[0.1, 0.6, 0.3]]))
    assert never.tolist() == [[0.1, 0.6, 0.3]]
