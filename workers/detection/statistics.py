"""The statistics of drift, by name.

Each takes two windows, `reference` and `current`: finite numbers, (n, d) and (m, d). It returns (statistic, p-value or
None): scalars for `mmd` and `classifier_two_sample`, else float64 (d,), feature by feature. The further the windows are
from each other, the larger the statistic. Raises DataError for windows that cannot be compared: too few rows, other
features, values that are no numbers.
"""

from workers.detection.measures.classifier import classifier_two_sample
from workers.detection.measures.distributions import cvm, energy, ks, mean_shift, wasserstein
from workers.detection.measures.histograms import hellinger, jensen_shannon, psi
from workers.detection.measures.mmd import mmd

__all__ = [
    "classifier_two_sample",
    "cvm",
    "energy",
    "hellinger",
    "jensen_shannon",
    "ks",
    "mean_shift",
    "mmd",
    "psi",
    "wasserstein",
]
