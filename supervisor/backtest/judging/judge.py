"""What a course comes to: exact scores of its windows, its losses, and its cost at each price."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np

from shared.metrics.metric import MetricKind
from shared.plugins import METRICS
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Course, Stint, Stretch
from supervisor.backtest.judging.needed import LossesOf, PriceOf, Scores, ScoresOf
from supervisor.results.composite import composite


class JudgedWindow(NamedTuple):
    """Rows that one model serves, and its scores on them."""

    stint: Stint
    scores: Scores


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A course, judged."""

    mean: float | None  # the composite of the metric that is judged by; None: no row has a label
    worst: float | None  # over the windows between grid points
    final: float | None  # in the last of them
    composite: dict[str, float | None]  # of all metrics, by label
    windows: tuple[JudgedWindow, ...]
    trainings: int
    gpu_s: float
    loss: float  # summed over the rows
    costs: tuple[float, ...]  # at each price


class Judge:
    """Judges courses on one stretch of the stream."""

    def __init__(
        self, grid: Grid, losses: LossesOf, window_scores: ScoresOf, stretch: Stretch, prices: Sequence[PriceOf]
    ) -> None:
        self.grid, self.losses, self.stretch, self.prices = grid, losses, stretch, tuple(prices)
        self._scores = window_scores
        kind: type[MetricKind] = METRICS[losses.metric.name]
        self.greater_is_better, self._best = kind.greater_is_better, kind.best or 0.0
        self._known: dict[Course, Judged] = {}
        inner = [one.key + 1 for one in grid.models if one.series == 0 and self._is_inner(one.key)]
        self._cuts = np.array([stretch.first_key, *inner, stretch.last_key + 1], dtype=np.int64)

    @property
    def rows(self) -> int:
        """How many have a label, and are evaluated."""
        return self.losses.rows(self.stretch.first_key, self.stretch.last_key + 1)

    def place(self, value: float | None) -> float:
        """By which values of the metric are sorted, the best first, and last what has none."""
        if value is None:
            return math.inf
        return -value if self.greater_is_better else value

    def value(self, loss: float, rows: int) -> float | None:
        """The metric over so many rows with such a loss."""
        if not rows:
            return None
        return (self._best * rows - loss if self.greater_is_better else self._best * rows + loss) / rows

    def lost(self, mean: float) -> float:
        """The loss over all rows of whoever has this mean on them."""
        return abs(self._best - mean) * self.rows

    def prepare(self, courses: Iterable[Course]) -> None:
        """Score all of their windows in one go."""
        self._scores.of([stint for course in courses for stint in course.stints(self.stretch)])

    def judge(self, course: Course) -> Judged:
        """All of it."""
        if course not in self._known:
            self._known[course] = self._judged(course)
        return self._known[course]

    def loss(self, course: Course) -> float:
        """Of the models that serve, summed over the rows."""
        stints = course.stints(self.stretch)
        return math.fsum(self.losses.between(one.model, one.first_key, one.last_key + 1) for one in stints)

    def cost(self, course: Course, price: PriceOf) -> float:
        """Of its trainings and its loss."""
        return price.of(course.trainings, course.gpu_s, self.loss(course))

    def _judged(self, course: Course) -> Judged:
        stints = list(course.stints(self.stretch))
        windows = tuple(map(JudgedWindow, stints, self._scores.of(stints)))
        means = means_of([one.scores for one in windows])
        levels = self._levels(stints)
        return Judged(
            mean=means.get(self.losses.metric.label),
            worst=max(levels, key=self.place, default=None),
            final=levels[-1] if levels else None,
            composite=means,
            windows=windows,
            trainings=course.trainings,
            gpu_s=course.gpu_s,
            loss=self.loss(course),
            costs=tuple(self.cost(course, price) for price in self.prices),
        )

    @cached_property
    def _rows_between(self) -> list[int]:
        """How many count in each window between grid points."""
        cuts = self._cuts.tolist()
        return [self.losses.rows(*ends) for ends in zip(cuts, cuts[1:], strict=False)]

    def _is_inner(self, key: int) -> bool:
        return self.stretch.first_key <= key < self.stretch.last_key

    def _levels(self, stints: Iterable[Stint]) -> list[float]:
        """The metric in each window between grid points that has rows, whoever serves there."""
        lost = np.zeros(len(self._cuts) - 1)
        for one in stints:
            start, stop = np.searchsorted(self._cuts, (one.first_key, one.last_key), side="right").tolist()
            parts = np.concatenate([[one.first_key], self._cuts[start:stop], [one.last_key + 1]])
            lost[start - 1 : stop] += self.losses.sums(one.model, parts)
        values = [self.value(loss, count) for loss, count in zip(lost.tolist(), self._rows_between, strict=True)]
        return [one for one in values if one is not None]


def means_of(windows: Sequence[Scores]) -> dict[str, float | None]:
    """The composite of each metric, by label."""
    labels = dict.fromkeys(label for one in windows for label in one)
    return {label: composite({n: one.get(label) for n, one in enumerate(windows)}).value for label in labels}
