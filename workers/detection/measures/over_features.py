"""One number of a statistic that has one for each feature."""

from __future__ import annotations

from typing import Literal

import numpy as np

from shared.errors import ConfigurationError
from workers.detection.measures.windows import PerFeature

Way = Literal["mean", "max", "bonferroni"]


def over_features(statistic: PerFeature, p_value: PerFeature | None, way: Way) -> tuple[float, float | None]:
    """The statistic and p of all features together, from (d,) and (d,) or None.

    `mean` and `max` of the statistic have no p. `bonferroni` takes the feature that is least like noise, and its p
    times d, at most 1: on noise that is seldom small, however many features there are and whatever they have to do with
    each other (Dunn, Journal of the American Statistical Association 1961). Raises ConfigurationError without p.
    """
    if way == "mean":
        return float(statistic.mean()), None
    if way == "max":
        return float(statistic.max()), None
    if p_value is None:
        raise ConfigurationError(
            "bonferroni was asked of a statistic that has no p-value; take mean or max, or one of ks and cvm"
        )
    least = foremost(statistic, p_value, way)
    return float(statistic[least]), min(1.0, float(p_value[least]) * len(p_value))


def foremost(statistic: PerFeature, p_value: PerFeature | None, way: Way) -> int:
    """The feature that this number comes from, and of a mean the one that has most part in it."""
    if way == "bonferroni" and p_value is not None:
        # Of equal p the largest statistic: p may be too small for a float.
        return int(np.lexsort((-statistic, p_value))[0])
    return int(statistic.argmax())
