"""The classifier two-sample test agrees with scikit-learn, which the product does without."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shared.errors import ConfigurationError, DataError
from tests.unit.detection.plain import sample
from workers.detection.measures.logistic import Logistic
from workers.detection.statistics import classifier_two_sample


def by_scikit_learn(x, y, seed):
    """AUC and p of pooled held-out scores."""
    rows, labels = np.concatenate([x, y]), np.arange(len(x) + len(y)) >= len(x)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    scores = cross_val_predict(model, rows, labels, cv=folds, method="decision_function")
    p_value = mannwhitneyu(scores[labels], scores[~labels], alternative="greater").pvalue
    return roc_auc_score(labels, scores), p_value


@pytest.mark.parametrize(("n", "m", "d"), [(5, 5, 1), (7, 23, 2), (40, 50, 3), (61, 33, 80)])
@pytest.mark.parametrize("seed", [0, 7])
def test_agrees_with_scikit_learn(n, m, d, seed):
    """The same folds for a seed, the same order of scores, and so the same AUC and p."""
    x, y = sample(n, m, d, 0.4, seed)
    x[:, 0], y[:, 0] = 1e6 + 0.01 * x[:, 0], 1e6 + 0.01 * y[:, 0]  # scale and offset are taken out
    assert classifier_two_sample(x, y, seed=seed) == pytest.approx(by_scikit_learn(x, y, seed), abs=1e-9)


@pytest.mark.parametrize("apart", [0.0, 1.0, 30.0])
def test_weights_are_where_the_cost_is_flat(apart):
    """To the last digits, also where both classes can be parted, and with more features than rows."""
    x, y = sample(20, 15, 50, apart)
    rows, labels = torch.from_numpy(np.concatenate([x, y])), torch.arange(35) >= 20
    model = Logistic(rows, labels, 1.0)
    misses = torch.sigmoid(model.margins(rows)) - labels.double()
    slope = rows.T @ misses + model.weights[:-1]
    assert float(slope.abs().max()) < 1e-6
    assert float(misses.sum().abs()) < 1e-6


def test_few_rows_and_wrong_seeds_are_told():
    """A fold must hold a row of each window."""
    x, y = sample(9, 4)
    with pytest.raises(DataError, match="current window has 4 rows, too few; this statistic needs 5"):
        classifier_two_sample(x, y)
    with pytest.raises(ConfigurationError, match="seed of classifier_two_sample is -1"):
        classifier_two_sample(x, x, seed=-1)
