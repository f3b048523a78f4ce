"""How many rows a trigger may select at most, as far as keys, splits and the strategy tell it without a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Pipeline
from shared.dataset.table import TableDataset
from shared.messages.tasks import KeyRange
from shared.strategies.build import strategy_of
from supervisor.backtest.replaying.train_split import TrainSplit
from supervisor.core.seen import Fired

_TAKES_ALL = {"new_data", "all_data"}  # that there are to select from, up to their limit


class TrainRows:
    """Counts the rows of the train split that are known at each trigger, in turn: all labels stand in their rows."""

    def __init__(self, pipeline: Pipeline, dataset: TableDataset, first_key: int) -> None:
        """`first_key`: of the first row that may be selected."""
        self._train = TrainSplit(pipeline.data.split, dataset)
        self._strategy = strategy_of(pipeline.strategy)
        said = pipeline.strategy
        plain = not (said.warm_up or said.reset_on_trigger or said.balance or self._strategy.rules)
        self.is_exact = plain and said.name in _TAKES_ALL
        self._next_key = first_key
        self._known = [0]  # at the start, and at each trigger

    def known_at(self, fired: Fired, left_out: tuple[KeyRange, ...]) -> int:
        """Train rows that are known now and were not at the trigger before. Raises DataError."""
        known_key = -1 if fired.labelled_key is None else fired.labelled_key
        new = sum(int(mask.sum()) for mask in self._masks(self._next_key, known_key + 1, left_out))
        self._next_key = max(self._next_key, known_key + 1)
        self._known.append(self._known[-1] + new)
        return new

    @property
    def at_most(self) -> int:
        """How many the strategy selects at most, at the last trigger that was counted."""
        back = self._strategy.earlier_triggers + 1
        reaches_all = self._strategy.selects_all or self._strategy.observes or back > len(self._known)
        rows = self._known[-1] - (0 if reaches_all else self._known[-back])
        limit = self._strategy.selects_at_most
        return rows if limit is None else min(rows, limit)

    def _masks(self, first_key: int, stop_key: int, left_out: tuple[KeyRange, ...]) -> Iterator[npt.NDArray[np.bool_]]:
        """Which of these rows are train rows that are not set aside, piece by piece."""
        for start, train in self._train.masks(first_key, stop_key):
            for first, last in left_out:
                train[max(first - start, 0) : max(last + 1 - start, 0)] = False
            yield train
