"""What comes of guessing by earlier labels, without a model: scored beside the model that the grid begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from supervisor.backtest.judging.course import Stretch
from supervisor.backtest.judging.judge import Judge, means_of
from supervisor.backtest.judging.needed import Scores
from supervisor.compare.scored_run import ScoredRun

NAMES = ("no_change", "majority")


class Guessed(msgspec.Struct, frozen=True, kw_only=True):
    """A baseline, judged as a course is; it trains nothing."""

    mean: float | None
    worst: float | None
    final: float | None
    rows: int  # that it was scored on
    composite: dict[str, float | None]
    costs: tuple[float | None, ...]  # at each price


def label_windows(run: ScoredRun, stretch: Stretch) -> dict[str, list[Scores]]:
    """Baseline → its scores in each window of this run that lies in the stretch; the run trains at grid points."""
    windows = [one for one in run.windows if _within(one.keys.first_key, one.keys.last_key, stretch)]
    return {name: [one.scores[name] for one in windows] for name in NAMES}


def guessed(windows: Sequence[Scores], judge: Judge) -> Guessed:
    """One baseline on these windows; where they are not all rows that are judged, its cost is what they tell of all."""
    label = judge.losses.metric.label
    means: Mapping[str, float | None] = means_of(windows)
    found = [one[label].value for one in windows if label in one]
    values = [one for one in found if one is not None]
    mean = means.get(label)
    return Guessed(
        mean=mean,
        worst=max(values, key=judge.place, default=None),
        final=values[-1] if values else None,
        rows=sum(one[label].n for one in windows if label in one),
        composite=dict(means),
        costs=tuple(None if mean is None else price.of(0, 0.0, judge.lost(mean)) for price in judge.prices),
    )


def _within(first_key: int, last_key: int, stretch: Stretch) -> bool:
    return stretch.first_key <= first_key and last_key <= stretch.last_key
