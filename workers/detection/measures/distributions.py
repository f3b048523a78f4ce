"""Statistics that compare the distributions of each feature as they are: tests, and distances."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from scipy import stats

from workers.detection.measures.windows import PerFeature, windows

# So many equal values of a feature, or such a share of its rows, leave the mean of their ranks a good one.
_FEW_EQUAL = 3
_SHARE_EQUAL = 0.01


def ks(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, PerFeature]:
    """Kolmogorov and Smirnov: the largest distance of the two distribution functions, 0 to 1, and its two-sided p.

    (n, d), (m, d) → (d,), (d,). p is exact up to 10,000 rows a window, asymptotic beyond (Hodges, Arkiv för Matematik
    1958). Raises DataError.
    """
    x, y = windows(reference, current)
    with warnings.catch_warnings():
        # Where the exact p leaves the range of floats scipy takes the asymptotic one, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = [stats.ks_2samp(*feature) for feature in zip(x.T, y.T, strict=True)]
    return np.array([one.statistic for one in found]), np.array([one.pvalue for one in found])


def cvm(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, PerFeature]:
    """Cramér and von Mises: squared distance of the two distribution functions, summed over all rows, and its p.

    (n, d), (m, d) → (d,), (d,). p is asymptotic (Anderson, Annals of Mathematical Statistics 1962). Equal values have
    the mean of their ranks, as scipy has it; of many that would part windows of unequal size which do not differ, so
    that there the rows of both alternate. A feature with one value has 0, and p 1. Raises DataError.
    """
    x, y = windows(reference, current, least=2)
    found = [_cvm(*feature) for feature in zip(x.T, y.T, strict=True)]
    return np.array([statistic for statistic, _ in found]), np.array([p_value for _, p_value in found])


def _cvm(x: PerFeature, y: PerFeature) -> tuple[float, float]:
    rows, most_equal = len(x) + len(y), int(np.unique(np.concatenate([x, y]), return_counts=True)[1].max())
    if most_equal == rows:
        return 0.0, 1.0
    if most_equal > max(_FEW_EQUAL, _SHARE_EQUAL * rows):
        x, y = _alternating(x, y)
    found = stats.cramervonmises_2samp(x, y, method="asymptotic")
    return float(found.statistic), float(found.pvalue)


def _alternating(x: PerFeature, y: PerFeature) -> tuple[PerFeature, PerFeature]:
    """Places of both: where values are equal, each window's rows are spread evenly among those of the other."""
    values, share = (np.concatenate(both) for both in zip(_spread(x), _spread(y), strict=True))
    order = np.lexsort((share, values))
    further = (np.diff(values[order]) != 0) | (np.diff(share[order]) != 0)
    places = np.empty(len(values))
    places[order] = np.concatenate([[0], np.cumsum(further)])
    return places[: len(x)], places[len(x) :]


def _spread(one: PerFeature) -> tuple[PerFeature, PerFeature]:
    """Values that ascend, and of each the share of its equals that stand before it, half of itself among them."""
    values, counts = np.unique(one, return_counts=True)
    each = np.repeat(counts, counts)
    before = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(values, counts), (before + 0.5) / each


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """First Wasserstein distance: the area between the two distribution functions, in the feature's unit.

    (n, d), (m, d) → (d,), None (Vallender, Theory of Probability and its Applications 1974). Raises DataError.
    """
    x, y = windows(reference, current)
    return np.array([stats.wasserstein_distance(*feature) for feature in zip(x.T, y.T, strict=True)]), None


def mean_shift(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """Distance of the two means, in the feature's unit. (n, d), (m, d) → (d,), None. Raises DataError."""
    x, y = windows(reference, current)
    from_where = x[0]  # so that a constant has no rounding
    return np.abs((y - from_where).mean(axis=0) - (x - from_where).mean(axis=0)), None


def energy(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[PerFeature, None]:
    """Energy distance: √(2·∫(F − G)²), of the two distribution functions, in the root of the feature's unit.

    (n, d), (m, d) → (d,), None (Székely and Rizzo, Journal of Statistical Planning and Inference 2013). Raises
    DataError.
    """
    x, y = windows(reference, current)
    return np.array([stats.energy_distance(*feature) for feature in zip(x.T, y.T, strict=True)]), None
