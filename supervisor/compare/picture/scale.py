"""The axis of the scores: linear, unless a few scores would press all others into one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Literal, NamedTuple

_FAR = 20  # times the median
_DEEP = 1000  # a logarithmic axis shows no more than so small a part of the median


class Scale(NamedTuple):
    """What kind of axis, and what it needs to know."""

    kind: Literal["linear", "log", "symlog"]
    lowest: float = 0.0  # log: the smallest score that is shown
    linear_to: float = 1.0  # symlog: up to there, to either side of 0, it is linear


def scale_of(scores: Sequence[float]) -> Scale:
    """Logarithmic where the largest is far from the median; around 0 linear where some are below 0.

    Scores of at most 1, such as accuracies, are never that far apart.
    """
    sizes = sorted(abs(score) for score in scores if score)
    if not sizes or sizes[-1] <= max(1.0, _FAR * median(sizes)):
        return Scale("linear")
    middle = median(sizes)
    if min(scores) < 0:
        return Scale("symlog", linear_to=10.0 ** math.ceil(math.log10(middle)))
    return Scale("log", lowest=next(size for size in sizes if size >= middle / _DEEP))
