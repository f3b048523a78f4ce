"""Statistics that compare shares of rows: 10 equal bins over the pooled range of a feature, the last one closed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from workers.detection.measures.windows import PerFeature, Rows, windows

BINS = 10
SMALLEST_SHARE = 1e-4  # of `psi`, which has no value for an empty bin


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """Jensen–Shannon distance in base 2, 0 to 1: the root of the mean divergence from the mean of both.

    (n, d), (m, d) → (d,), None (Lin, IEEE Transactions on Information Theory 1991; Endres and Schindelin, ibid. 2003).
    Raises DataError.
    """
    p, q = _shares(*windows(reference, current))
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=0) / 2
    return np.sqrt(np.clip(divergence / math.log(2), 0, 1)), None  # rounding may leave it a little outside


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """Hellinger distance, 0 to 1: the distance of the roots of the shares, divided by √2.

    (n, d), (m, d) → (d,), None (Hellinger, Journal für die reine und angewandte Mathematik 1909). Raises DataError.
    """
    p, q = _shares(*windows(reference, current))
    return np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=0) / 2), None


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """Population stability index: Σ (q − p)·ln(q / p) of the shares; from .25 on it is commonly called a large change.

    (n, d), (m, d) → (d,), None. Shares below 1e-4 count as 1e-4, and the others stay as they are, so that an empty
    bin has a value (Siddiqi, Credit Risk Scorecards, 2006). Raises DataError.
    """
    p, q = (np.maximum(shares, SMALLEST_SHARE) for shares in _shares(*windows(reference, current)))
    return ((q - p) * np.log(q / p)).sum(axis=0), None


def _shares(x: Rows, y: Rows) -> tuple[Rows, Rows]:
    """The share of each window's rows in each bin of each feature, (BINS, d) both."""
    counts = np.array([_counts(*feature) for feature in zip(x.T, y.T, strict=True)], np.float64)  # (d, 2, BINS)
    return counts[:, 0].T / len(x), counts[:, 1].T / len(y)


def _counts(x: PerFeature, y: PerFeature) -> list[npt.NDArray[np.int64]]:
    """Rows in each bin of one feature, of either window."""
    lowest, highest = min(x.min(), y.min()), max(x.max(), y.max())
    if lowest == highest:  # one value: all rows are in one bin, whichever
        return [np.bincount([0] * len(one), minlength=BINS) for one in (x, y)]
    if (np.diff(np.linspace(lowest, highest, BINS + 1)) <= 0).any():
        # So far from 0 floats are too coarse for the edges of the bins; distances from the lowest value are not.
        x, y, lowest, highest = x - lowest, y - lowest, 0.0, highest - lowest
    return [np.histogram(one, BINS, (lowest, highest))[0] for one in (x, y)]
