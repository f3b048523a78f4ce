"""Whether the numbers of a column lie where they must, or usually do, and are as large as usual."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.errors import DataError
from workers.detection.usual.expected import FEW, Expected, Finding, many, percent
from workers.detection.usual.values import Numbers, Values

_EDGES = (0.001, 0.999)  # quantiles at which a column's usual range ends: beyond are single mistakes
_MOSTLY = 0.5  # the share of rows above which something is no matter of a few
_SEVERAL = 8  # values, of which fewer say nothing of how large others may be
_SEVERAL_STRETCHES = 3  # in which a number never was negative that may not be so
_AS_FAR = 1.25  # times, by which numbers of another sign are in size as they were


def given_range_findings(name: str, now: Values, expected: Expected) -> list[Finding]:
    """Beyond bounds that a person gave. Raises DataError where there are no numbers."""
    bounds = expected.ranges["columns"].get(name)
    if bounds is None or not len(now.there):
        return []
    if not now.is_of_numbers:
        raise DataError(f"trigger.expect.ranges.columns names {name}, which has no numbers but {now.kind}s.")
    least, most = (np.inf * sign if one is None else one for one, sign in zip(bounds, (-1, 1), strict=True))
    outside = _outside(now.numbers, least, most)
    if outside <= expected.ranges["outside"]:
        return []
    told = _told_outside(name, now, outside, (least, most), expected)
    return [Finding(check="ranges", column=name, sentence=told)]


def usual_range_findings(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Numbers beyond the usual range made wider, below zero, or so small that their unit must be another.

    Where a column did not vary, nothing is said of its range.
    """
    before = [one.numbers for one in usual if one.is_of_numbers and one.distinct > 1]
    if not before:
        return []
    least, most = _wide_range(before, expected.ranges["widen"])
    outside, allowed = _outside(now.numbers, least, most), max(_outside(one, least, most) for one in before)
    if outside > allowed + expected.ranges["outside"]:
        return [
            Finding(check="ranges", column=name, sentence=_told_outside(name, now, outside, (least, most), expected))
        ]
    if _lost_its_sign(now, before):
        negative = percent(float((now.numbers < 0).mean()))
        return [
            Finding(
                check="ranges",
                column=name,
                sentence=f"column `{name}` is below 0 in {negative} of {many(len(now.there))}; it never was",
            )
        ]
    sizes = [size for one in before if (size := _size(one)) is not None]
    size, part = _size(now.numbers), expected.ranges["shrink"]
    if size is not None and now.distinct >= _SEVERAL and sizes and size < part * min(sizes):
        told = f"numbers of column `{name}` are about {size:.3g} in size on {many(len(now.there))}, usually about"
        told += f" {min(sizes):.3g}; at least {part * min(sizes):.3g} is expected"
        return [Finding(check="ranges", column=name, sentence=told)]
    return []


def _lost_its_sign(now: Values, before: Sequence[Numbers]) -> bool:
    """Whether what never was negative is so in most rows; with fractions, in all, and as far from 0 as it usually is.

    Else it may be a temperature.
    """
    if any((one < 0).any() for one in before):
        return False
    if now.kind == "whole number":
        return bool((now.numbers < 0).mean() > _MOSTLY)
    size, sizes = _size(now.numbers), [size for one in before if (size := _size(one)) is not None]
    if (now.numbers > 0).any() or now.distinct < _SEVERAL or len(before) < _SEVERAL_STRETCHES or size is None:
        return False
    return len(sizes) > 0 and min(sizes) / _AS_FAR <= size <= max(sizes) * _AS_FAR


def _wide_range(before: Sequence[Numbers], widen: float) -> tuple[float, float]:
    """Where numbers may lie."""
    ends = np.array([np.quantile(one, _EDGES, method="nearest") for one in before])
    least, most = float(ends[:, 0].min()), float(ends[:, 1].max())
    margin = widen * max(most - least, abs(least), abs(most))
    return least - margin, most + margin


def _told_outside(name: str, now: Values, outside: float, bounds: tuple[float, float], expected: Expected) -> str:
    least, most = bounds
    where = f"beyond {least:.4g} to {most:.4g}"
    if not np.isfinite(most):
        where = f"below {least:.4g}"
    elif not np.isfinite(least):
        where = f"above {most:.4g}"
    low, high = float(now.numbers.min()), float(now.numbers.max())
    told = f"column `{name}` is {where} in {percent(outside)} of {many(len(now.there))} (it is {low:.4g} to {high:.4g})"
    return f"{told}; at most {percent(expected.ranges['outside'])} may be"


def _outside(numbers: Numbers, least: float, most: float) -> float:
    return float(((numbers < least) | (numbers > most)).mean())


def _size(numbers: Numbers) -> float | None:
    """How far numbers that are not 0 are from it; None: there are few."""
    there = np.abs(numbers[numbers != 0])
    return float(np.median(there)) if len(there) >= FEW else None
