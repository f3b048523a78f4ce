"""Values around a value: steps of a scale, rounded so that people like to read them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from shared.config.fields import Tuned
from shared.timestamps import parse_duration_s
from supervisor.triggers.looks.span import in_words

_UNITS_S = (86_400.0, 3600.0, 60.0, 1.0)
_FEWEST = 5  # of a unit in which a duration is rounded
_DIGITS = 2  # that count
_SHORTEST_S = 0.001


def ladder(value: Any, tuned: Tuned, octaves: Iterable[float]) -> list[Any]:
    """The values so many doublings away, each once, without the value itself.

    `value`: a whole number, a number, or a duration such as `7d`; none are around zero.
    """
    found = (moved(value, tuned, octave) for octave in octaves)
    return list(dict.fromkeys(one for one in found if one != value))


def moved(value: Any, tuned: Tuned, octaves: float) -> Any:
    """The value so many doublings away; of a number between 0 and 1 on the scale of odds, those of its odds."""
    times = 2.0**octaves
    if isinstance(value, str):
        return in_words(_readable_s(max(parse_duration_s(value) * times, _SHORTEST_S)))
    if isinstance(value, int):
        return round(_rounded(value * times)) or 1
    if not _has_odds(value, tuned):
        return _rounded(value * times)
    odds = value / (1 - value) * times
    share, rest = odds / (1 + odds), 1 / (1 + odds)
    return _rounded(share) if share <= rest else round(1 - _rounded(rest), 15)


def octaves_between(value: Any, other: Any, tuned: Tuned) -> float:
    """How many doublings lead from one value to another; endless where none do."""
    start, end = _magnitude(value, tuned), _magnitude(other, tuned)
    return math.log2(end / start) if start * end > 0 else 0.0 if start == end else math.inf


def _magnitude(value: Any, tuned: Tuned) -> float:
    if isinstance(value, str):
        return parse_duration_s(value)
    return value / (1 - value) if _has_odds(value, tuned) else float(value)


def _has_odds(value: float, tuned: Tuned) -> bool:
    return tuned.scale == "odds" and 0 < value < 1


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _readable_s(seconds: float) -> float:
    """A whole number of the largest unit of which there are enough."""
    unit_s = next((unit_s for unit_s in _UNITS_S if seconds >= _FEWEST * unit_s), None)
    if unit_s is None:
        return _rounded(seconds)
    units = seconds / unit_s
    return round(units if units < 10**_DIGITS else _rounded(units)) * unit_s
