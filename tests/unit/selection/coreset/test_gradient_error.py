"""What a coreset is for: its weighted gradient is nearer to that of all rows than that of as many random rows."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
import torch

from workers.selection.coreset import craig, grad_match

CLASSES, PER_CLASS = 10, 60
LABELS = torch.arange(CLASSES).repeat_interleave(PER_CLASS)


def gradients(seed):
    """Of a softmax's last layer, class after class: probability less label, times two features of the class."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(LABELS), CLASSES)) + 2 * np.eye(CLASSES)[LABELS]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features = random.normal(size=(CLASSES, 2))[LABELS] + 0.5 * random.normal(size=(len(LABELS), 2))
    return torch.from_numpy(
        ((shares - np.eye(CLASSES)[LABELS])[:, :, None] * features[:, None]).reshape(len(LABELS), -1)
    )


def by_chance(rows, k):
    """The errors of 20 random choices."""
    draws = [torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:k] for seed in range(20)]
    return [float((rows[draw].mean(dim=0) - rows.mean(dim=0)).norm()) for draw in draws]


@pytest.mark.parametrize("seed", range(3))
def test_craig(seed):
    rows = gradients(seed)
    picked, weights = craig(rows, 60)
    error = (weights @ rows[picked] / len(rows) - rows.mean(dim=0)).norm()
    assert error < median(by_chance(rows, 60))


@pytest.mark.parametrize("seed", range(3))
def test_grad_match(seed):
    rows = gradients(seed)
    mean = rows.mean(dim=0)
    picked, weights = grad_match(rows, mean, 60, 1e-3)
    assert (weights @ rows[picked] - mean).norm() < median(by_chance(rows, 60)) / 5


@pytest.mark.parametrize("choose", [craig, lambda rows, k: grad_match(rows, rows.mean(dim=0), k, 1e-3)])
def test_rows_of_every_class_are_picked(choose):
    """Also where a class's rows stand together, and the first hundred or more are of two classes."""
    picked, _ = choose(gradients(0), 60)
    assert LABELS[picked].unique().tolist() == list(range(CLASSES))
