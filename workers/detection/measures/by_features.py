"""A statistic that has a value for each feature, a few features at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workers.detection.measures.windows import PerFeature, Rows, windows
from workers.going_on import GoOn

_NUMBERS_AT_ONCE = 2**16  # of both windows: hundredths of a second of the slowest statistic

Measure = Callable[[Rows, Rows], tuple[PerFeature, PerFeature | None]]


def by_features(measure: Measure, x: Rows, y: Rows, go_on: GoOn) -> tuple[PerFeature, PerFeature | None]:
    """What `measure` makes of (n, d) and (m, d), with `go_on` called before each few features. Raises DataError."""
    x, y = windows(x, y)  # errors name the feature among all
    at_once, found = max(_NUMBERS_AT_ONCE // (len(x) + len(y)), 1), []
    for start in range(0, x.shape[1], at_once):
        go_on()
        found.append(measure(x[:, start : start + at_once], y[:, start : start + at_once]))
    statistics, p_values = zip(*found, strict=True)
    return np.concatenate(statistics), None if p_values[0] is None else np.concatenate(p_values)
