"""The models that stand for all trainings: what would have been trained at a row, whoever had asked for it there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from shared.messages.tasks import ModelRef
from supervisor.compare.scored_run import ScoredRun


class GridModel(NamedTuple):
    """One of them."""

    series: int  # of which strategy
    key: int  # the last row that it knows: it may serve from the next one on
    timestamp_us: int  # event time there
    run: int  # the place in `Grid.runs` of the one that trained it
    ref: ModelRef  # in the artifacts of that run
    samples: int  # rows that were selected for it
    train_s: float  # seconds that workers trained, all members


class Grid:
    """All models, by series and then by key; a model's number is its place.

    Series 0 is that of the pipeline's own strategy: it has the models that policies get. Others are choices of the best
    schedule alone.
    """

    def __init__(self, runs: Sequence[ScoredRun], series: Sequence[str], models: Sequence[GridModel]) -> None:
        """`series`: their titles. At least one model of series 0; no two of one series have the same key."""
        self.runs, self.series = tuple(runs), tuple(series)
        self.models = tuple(sorted(models, key=lambda one: (one.series, one.key)))

    @cached_property
    def _keys(self) -> list[list[int]]:
        return [[one.key for one in self.models if one.series == number] for number in range(len(self.series))]

    @property
    def first_key(self) -> int:
        """The first row that a model of series 0 may serve."""
        return self.models[0].key + 1

    def numbers(self, series: int) -> range:
        """Those of one series, in the order of time."""
        start = sum(map(len, self._keys[:series]))
        return range(start, start + len(self._keys[series]))

    def newest(self, key: int, series: int = 0) -> int:
        """The model that a trigger at this row gets: the newest that knows no later row; without one the first."""
        return self.numbers(series).start + max(bisect_right(self._keys[series], key) - 1, 0)
