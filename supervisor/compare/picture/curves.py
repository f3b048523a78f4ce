"""What a run's line passes through: a level for each window, and a gap where there is no score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.timestamps import parse_timestamp_us

_US_PER_DAY = 86_400_000_000
_APART_ROWS = 5  # a hole is that much longer than rows are apart


class Level(NamedTuple):
    """A window that has a score, and when its rows are; days since 1970-01-01 UTC."""

    first_day: float
    last_day: float
    score: float
    rows: int
    after_gap: bool = False  # whether windows before it have no score, or no time
    windows: int = 1  # that are drawn as one


class Curve(NamedTuple):
    """A line, broken where a score is NaN, and the points of it at which windows begin."""

    days: list[float]
    scores: list[float]
    begins: list[int]  # places in the two lists


def levels(windows: Sequence[Mapping[str, Any]], metric: str) -> list[Level]:
    """The windows of a run that have a score, and rows with a time, in order."""
    found: list[Level] = []
    gap = False
    for window in windows:
        first, last, score = window["first_timestamp"], window["last_timestamp"], window[metric]
        if not first or not last or score is None or not math.isfinite(score):
            gap = True
            continue
        found.append(Level(_day(first), _day(last), score, window["n"], gap))
        gap = False
    return found


def _day(timestamp: str) -> float:
    return parse_timestamp_us(timestamp) / _US_PER_DAY


def stretch_days(runs: Sequence[Sequence[Level]]) -> tuple[float, float] | None:
    """From the first to the last moment of which anything is drawn; None if nothing is."""
    drawn = [level for run in runs for level in run]
    if not drawn:
        return None
    return min(level.first_day for level in drawn), max(level.last_day for level in drawn)


def merged(run: Sequence[Level], narrow_days: float) -> list[Level]:
    """Neighbours together, as long as they make no more than a narrow level: the mean, weighted by rows.

    So a line has no more levels than can be seen beside each other. A wider window stays as it is.
    """
    found: list[Level] = []
    for level in run:
        before = found[-1] if found else None
        if (
            before is not None
            and before.first_day <= level.first_day
            and level.last_day - before.first_day <= narrow_days
        ):
            found[-1] = _both(before, level)
        else:
            found.append(level)
    return found


def _both(before: Level, level: Level) -> Level:
    rows = before.rows + level.rows
    score = before.score + (level.score - before.score) * level.rows / rows
    last_day = max(before.last_day, level.last_day)
    return before._replace(last_day=last_day, score=score, rows=rows, windows=before.windows + level.windows)


def hole_days(length_days: float, narrow_days: float, rows: int) -> float:
    """How long a time without rows between two windows is a gap: one that is seen, and more than rows are apart."""
    return max(narrow_days, length_days * _APART_ROWS / max(rows, 1))


def curve(run: Sequence[Level], hole: float) -> Curve:
    """The line through the levels: broken where windows without a score lie between, and at holes of so many days.

    Where it goes on, a level reaches to where the next one begins.
    """
    line = Curve([], [], [])
    for level in run:
        if line.days and (level.after_gap or level.first_day - line.days[-1] > hole):
            line.days.append(level.first_day)
            line.scores.append(math.nan)
        elif line.days:
            line.days[-1] = max(line.days[-2], level.first_day)
        line.begins.append(len(line.days))
        line.days.extend((level.first_day, level.last_day))
        line.scores.extend((level.score, level.score))
    return line


def thinned(begins: Sequence[int], most: int) -> list[int]:
    """Every so many-th, so that there are at most `most`."""
    return list(begins[:: max(1, math.ceil(len(begins) / most))])
