"""Probabilities of a model made to mean what they say: of rows that get .8, eight in ten are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

Rows = npt.NDArray[np.float64]  # (n, classes)


class Calibrated:
    """How likely each class is, by what came of like probabilities on labelled rows.

    Isotonic regression of each class against the others (Zadrozny and Elkan, KDD 2002), of two classes of one of them;
    between two steps it is a straight line, so that it is continuous. Of several classes the chances are brought to a
    sum of 1.
    """

    def __init__(
        self,
        outputs: npt.NDArray[np.floating],
        labels: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Probabilities (n, classes), labels (n,), and how much each row counts (n,), above 0; at least one row."""
        self._classes = outputs.shape[1]
        weights = np.ones(len(labels)) if weights is None else weights
        fitted = [1] if self._classes == 2 else range(self._classes)
        self._curves = [_curve(outputs[:, one].astype(np.float64), labels == one, weights) for one in fitted]

    def chances(self, outputs: npt.NDArray[np.floating]) -> Rows:
        """How likely each class is of rows (m, classes) → (m, classes)."""
        if self._classes == 2:
            (curve,) = self._curves
            found = np.interp(outputs[:, 1], *curve)
            return np.stack([1 - found, found], axis=1)
        each = [np.interp(outputs[:, one], *curve) for one, curve in enumerate(self._curves)]
        found = np.stack(each, axis=1)
        total = found.sum(axis=1, keepdims=True)
        # Where no class was ever found at such probabilities, these are all that is known.
        return np.where(total > 0, found / np.where(total > 0, total, 1), outputs)


def _curve(scores: Rows, hits: npt.NDArray[np.bool_], weights: Rows) -> tuple[Rows, Rows]:
    """Scores, ascending, and the weighted share of hits at them, which never falls; each (k,). O(n log n)."""
    points, place = np.unique(scores, return_inverse=True)
    weight = np.bincount(place, weights)
    share = np.bincount(place, weights * hits) / weight
    return points, np.asarray(isotonic_regression(share, weights=weight).x)
