"""Linear regression with an elastic net's penalty, which is chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_L1_SHARE = 0.5
_FOLDS = 5
_PENALTIES = 12
_SMALLEST = 1e-3  # of the smallest penalty at which no feature is left
_ROUNDS = 30
_EXACT = 1e-9
_CONSTANT = 1e-12  # a deviation that is nothing beside the mean


class Line(NamedTuple):
    """What was fitted."""

    intercept: float
    slopes: Floats  # (d,), in the features' own units
    variance: float  # mean squared error on rows that the fit had not seen

    def at(self, x: Floats) -> Floats:
        """(n, d) → (n,)."""
        return self.intercept + x @ self.slopes


def fitted(x: Floats, y: Floats) -> Line:
    """A line through (n, d) and (n,), n at least 2: the penalty with the least error in cross-validation.

    Folds are every fifth row each, or a row each where there are fewer than five. Features are standardised.
    """
    middle, scale = x.mean(axis=0), x.std(axis=0)
    if y.std() <= _CONSTANT * max(abs(y.mean()), 1.0):
        return Line(float(y.mean()), np.zeros(x.shape[1]), 0.0)
    scale = np.where(scale > _CONSTANT * np.maximum(np.abs(middle), 1.0), scale, np.inf)  # a constant says nothing
    z = (x - middle) / scale
    penalties = _penalties(z, y - y.mean())
    errors = np.zeros(len(penalties))
    folds = min(_FOLDS, len(y))
    for fold in range(folds):
        seen = np.arange(len(y)) % folds != fold
        centre, mean = z[seen].mean(axis=0), y[seen].mean()
        for place, slopes in enumerate(_along(z[seen] - centre, y[seen] - mean, penalties)):
            errors[place] += float(np.sum((y[~seen] - mean - (z[~seen] - centre) @ slopes) ** 2))
    best = int(errors.argmin())  # of equal ones the largest penalty
    *_, slopes = _along(z, y - y.mean(), penalties[: best + 1])
    slopes = slopes / scale
    return Line(float(y.mean() - middle @ slopes), slopes, float(errors[best]) / len(y))


def elastic_net(x: Floats, y: Floats, penalty: float, start: Floats | None = None) -> Floats:
    """The w, (d,), that minimises ‖y − Xw‖²/2n + penalty · (ρ‖w‖₁ + (1 − ρ)‖w‖²/2), ρ a half.

    (n, d) and (n,), centred; few features. By coordinate descent (Friedman, Hastie and Tibshirani, Journal of
    Statistical Software 2010), from `start`, until it has found which features count, and with which sign: the rest is
    a linear system. Where one feature is nearly the sum of others that takes very many rounds; after some of them all
    signs are tried, of which one must fit, as there is one minimum.
    """
    gram, towards = x.T @ x / len(y), x.T @ y / len(y)
    l1, l2 = penalty * _L1_SHARE, penalty * (1 - _L1_SHARE)
    w = [0.0] * len(towards) if start is None else start.tolist()
    rows, aims = gram.tolist(), towards.tolist()
    for _ in range(_ROUNDS):
        for j, before in enumerate(w):
            if rows[j][j] > 0:
                rest = aims[j] - sum(g * v for g, v in zip(rows[j], w, strict=True)) + rows[j][j] * before
                w[j] = max(abs(rest) - l1, 0.0) * (1 if rest > 0 else -1) / (rows[j][j] + l2)
        found = _solved(gram, towards, np.sign(w), (l1, l2))
        if found is not None:
            return found
    tried = (_solved(gram, towards, np.array(signs), (l1, l2)) for signs in product((0.0, 1.0, -1.0), repeat=len(w)))
    return next((found for found in tried if found is not None), np.array(w))


def _solved(gram: Floats, towards: Floats, signs: Floats, penalties: tuple[float, float]) -> Floats | None:
    """The minimum, if coefficients have these signs there; else None."""
    l1, l2 = penalties
    active, w = signs != 0, np.zeros(len(signs))
    if active.any():
        system = gram[np.ix_(active, active)] + l2 * np.eye(int(active.sum()))
        w[active] = np.linalg.solve(system, towards[active] - l1 * signs[active])
    pull = np.abs(towards - gram @ w)[~active]
    return w if (np.sign(w) == signs).all() and (pull <= l1 * (1 + _EXACT)).all() else None


def _penalties(z: Floats, y: Floats) -> Floats:
    """Descending, from one at which no feature is left."""
    most = float(np.abs(z.T @ y).max(initial=0.0)) / len(y) / _L1_SHARE
    return most * np.geomspace(1.0, _SMALLEST, _PENALTIES)


def _along(x: Floats, y: Floats, penalties: Floats) -> Iterator[Floats]:
    """One after the other, each from where the one before has ended."""
    w = None
    for penalty in penalties.tolist():
        w = elastic_net(x, y, penalty, w)
        yield w
