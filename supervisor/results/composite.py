"""The composite: the mean of a metric over the windows (key_i, key_i+1], weighted by rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from shared.messages.reports import MetricValue


class Composite(msgspec.Struct, frozen=True, kw_only=True):
    """A metric's mean, None if no window has one, and how many windows were left out."""

    value: float | None
    undefined_windows: int
    rows: int  # that it is the mean over


def composite(windows: Mapping[int, MetricValue | None]) -> Composite:
    """Mean over windows (by trigger) in float64; those without a value are left out and counted."""
    defined = [score for score in windows.values() if score is not None and score.value is not None]
    rows = sum(score.n for score in defined)
    total = math.fsum(score.n * score.value for score in defined if score.value is not None)
    value = total / rows if rows else None
    return Composite(value=value, undefined_windows=len(windows) - len(defined), rows=rows)
