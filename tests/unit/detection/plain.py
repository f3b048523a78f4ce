"""What statistics of drift are by their definitions, pair by pair, and windows to try them on."""

from __future__ import annotations

import numpy as np

from workers.detection import statistics

EVERY = [getattr(statistics, name) for name in statistics.__all__]
PER_FEATURE = [one for one in EVERY if one.__name__ not in ("mmd", "classifier_two_sample")]


def sample(n=60, m=45, d=3, shift=0.0, seed=0):
    """Two windows of normal rows, the second one shifted."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, d)), random.normal(shift, size=(m, d))


def squared(x, y):
    """Squared distances (n, m), by differences."""
    return ((np.asarray(x, np.float64)[:, None] - np.asarray(y, np.float64)[None]) ** 2).sum(axis=2)


def median_bandwidth(x, y):
    """Half the median squared distance over the distinct pairs."""
    pooled = np.concatenate([x, y])
    return float(np.median(squared(pooled, pooled)[np.triu_indices(len(pooled), 1)])) / 2


def squared_mmd(x, y, bandwidth, unbiased=True):
    """MMD², with the kernel of each pair of windows computed by itself."""
    xx, yy, xy = (np.exp(-squared(*pair) / (2 * bandwidth)) for pair in ((x, x), (y, y), (x, y)))
    if not unbiased:
        return xx.mean() + yy.mean() - 2 * xy.mean()
    n, m = xy.shape
    return (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean()
