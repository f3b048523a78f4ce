"""The coresets as their definitions read, for few rows: numpy, float64, everything found anew at each pick.

Numbers that differ by 1e-12 of their size tie.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls


def _greedy(values, k, *, size=0.0, enough=-np.inf):
    """Pick the first largest of `values(picked)` k times; `size`: of what they are found from."""
    picked = []
    while len(picked) < k:
        found = np.array(values(picked), dtype=np.float64)
        found[picked] = -np.inf
        if not found.max() > enough:
            break
        picked.append(_first_largest(found, size))
    return picked


def _first_largest(found, size=0.0):
    return int((found >= found.max() - 1e-12 * max(abs(found.max()), size)).argmax())


def _distances(rows, others):
    return np.sqrt(((rows[:, None] - others[None]) ** 2).sum(axis=2))


def k_center(rows, k, first=None):
    if first is None:
        first = _first_largest(-_distances(rows, rows.mean(axis=0)[None])[:, 0])
    return _greedy(
        lambda picked: _distances(rows, rows[picked]).min(axis=1) if picked else np.arange(len(rows)) == first, k
    )


def facility_location(similarity, k):
    def values(picked):
        if not picked:
            return similarity.sum(axis=0)
        covered = similarity[:, picked].max(axis=1, keepdims=True)
        return np.maximum(similarity - covered, 0).sum(axis=0)

    return _greedy(values, k, size=np.abs(similarity).max() / 1024)


def herding(rows, k):
    def values(picked):
        means = (rows[picked].sum(axis=0) + rows) / (len(picked) + 1)
        return -_distances(means, rows.mean(axis=0)[None])[:, 0]

    return _greedy(values, k)


def graph_cut(similarity, k, trade_off):
    def value(chosen):
        return similarity[:, chosen].sum() - trade_off * similarity[np.ix_(chosen, chosen)].sum()

    return _greedy(lambda picked: [value([*picked, j]) - value(picked) for j in range(len(similarity))], k)


def log_determinant(kernel, k):
    def pivot(picked, j):
        if not picked:
            return kernel[j, j]
        return kernel[j, j] - kernel[j, picked] @ np.linalg.solve(kernel[np.ix_(picked, picked)], kernel[picked, j])

    return _greedy(lambda picked: [pivot(picked, j) for j in range(len(kernel))], k, enough=1e-12)


def craig(rows, k):
    far = _distances(rows, rows)
    similarity = far.max() - far + 1e-3
    picked = facility_location(similarity, k)
    ascending = sorted(picked)
    owners = np.array([ascending[_first_largest(line, similarity.max())] for line in similarity[:, ascending]])
    weights = [int((owners == one).sum()) for one in picked]
    return [(one, weight) for one, weight in zip(picked, weights, strict=True) if weight]


def grad_match(rows, target, k, regularisation):
    left, picked = target, []
    for turn in range(k):
        products = (rows * left).sum(axis=1)
        products[picked] = -np.inf
        picked.append(
            _first_largest(products, max(np.linalg.norm(left), np.linalg.norm(target) / 1024) * np.abs(rows).max())
        )
        chosen = rows[picked]
        if turn == 0:
            weights = (chosen @ target) / (chosen * chosen).sum()
        else:
            weights = np.linalg.solve(chosen @ chosen.T + regularisation * np.eye(len(picked)), chosen @ target)
        left = target - weights @ chosen
    picked.sort()
    chosen = rows[picked]
    weights, _ = nnls(chosen @ chosen.T + regularisation * np.eye(k), chosen @ target)
    return [(one, weight) for one, weight in zip(picked, weights, strict=True) if weight > 0]
