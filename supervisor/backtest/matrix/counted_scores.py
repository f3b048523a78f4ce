"""Scores of windows from losses by row, where metrics only count: to the bit those of a real run; no model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Pipeline, Split
from shared.config.system import Dataset
from shared.messages.reports import MetricValue
from shared.plugins import METRICS
from shared.split import rows_in_split
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Stint
from supervisor.backtest.judging.needed import Scores, ScoresOf
from supervisor.backtest.matrix.losses import Losses


def are_counted(pipeline: Pipeline, dataset: Dataset) -> bool:
    """Whether losses by row tell all that a run reports of a window.

    They do not where a bad row is forgiven, and takes its window's score away; where the class of a label may depend on
    when it came; and, where rows may lack a label, of a split by column, of which the supervisor reads none.
    """
    by_column = pipeline.data.split.by is not None and pipeline.evaluation.prequential.split is not None
    return (
        all(METRICS[one.name].is_share for one in pipeline.evaluation.metrics)
        and pipeline.training.on_failure == "stop"
        and dataset.labels is None
        and not (by_column and dataset.nulls.labels == "drop")
    )


class CountedScores:
    """Windows in which rounding decides a loss are asked of others, who predict as many rows at once as a run does.

    O(1) a window, and 8 bytes a row where rows may lack a label.
    """

    def __init__(
        self,
        grid: Grid,
        pipeline: Pipeline,
        dataset: Dataset,
        last_key: int,
        losses: Sequence[Losses],
        time_at: Callable[[int], int],
        others: ScoresOf,
    ) -> None:
        """`pipeline`, `dataset`: whose scores `are_counted`; `last_key`: of all windows; `losses`: of each metric.

        `time_at`: key → event time, µs.
        """
        self._grid, self._losses, self._time_at, self._others = grid, losses, time_at, others
        self._window = pipeline.evaluation.prequential
        self._first_key = min(one.key for one in grid.models) + 1
        self._in_split: npt.NDArray[np.int64] | None = None
        if dataset.nulls.labels == "drop":
            self._in_split = self._counted(pipeline.data.split, last_key + 1)
        self._known: dict[Stint, Scores] = {}

    def of(self, stints: Sequence[Stint]) -> list[Scores]:
        """Those of each, in their order. Raises NotReadyError for what has to be asked and cannot be."""
        new = [one for one in dict.fromkeys(stints) if one not in self._known]
        asked = [one for one in new if not self._is_certain(one)]
        self._known.update(zip(asked, self._others.of(asked), strict=True))
        self._known.update((one, self._scores(one)) for one in new if one not in self._known)
        return [self._known[one] for one in stints]

    def _is_certain(self, stint: Stint) -> bool:
        return all(one.are_certain(stint.model, stint.first_key, stint.last_key + 1) for one in self._losses)

    def _scores(self, stint: Stint) -> Scores:
        return {one.metric.label: self._score(stint, one) for one in self._losses}

    def _score(self, stint: Stint, losses: Losses) -> MetricValue:
        stop_key = stint.last_key + 1
        rows = losses.rows(stint.first_key, stop_key)
        right = rows - losses.between(stint.model, stint.first_key, stop_key)
        return MetricValue(
            trigger_id=self._grid.models[stint.model].ref.trigger_id,
            window=self._window.name,
            slice="",
            metric=losses.metric.label,
            value=right / rows if rows else None,
            n=rows,
            first_timestamp_us=self._time_at(stint.first_key),
            last_timestamp_us=self._time_at(stint.last_key),
            error=None if rows else "no rows",
            unlabelled=self._members(stint) - rows if self._in_split is not None else 0,
        )

    def _counted(self, split: Split, stop_key: int) -> npt.NDArray[np.int64]:
        """How many of the first rows are in the split that is evaluated, (rows + 1,)."""
        name, keys = self._window.split, np.arange(self._first_key, stop_key, dtype=np.uint64)
        members = (
            np.ones(len(keys), bool)
            if name is None
            else rows_in_split(keys, name, test=split.test, validation=split.validation)
        )
        return np.concatenate([[0], np.cumsum(members)])

    def _members(self, stint: Stint) -> int:
        """Rows of the split, with or without a label."""
        assert self._in_split is not None
        start, stop = stint.first_key - self._first_key, stint.last_key + 1 - self._first_key
        return int(self._in_split[stop] - self._in_split[start])
