"""Scores of the windows of policies that were replayed: to the bit those of a real run with these triggers."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Sequence

from shared.config.pipeline import Pipeline
from shared.messages.reports import MetricValue
from shared.messages.rescore import KeyRange, Mask, Rescore
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Stint
from supervisor.backtest.matrix.runs_to_score import runs_to_score
from supervisor.compare.anew import Anew

Scores = dict[str, MetricValue]  # the pipeline's own metrics, by label
Progress = Callable[[int, int], None]  # so many windows are scored, of so many


def unheard(done: int, of: int) -> None:
    """Nobody is told how far it is."""


class WindowScores:
    """Each window is scored once. Processes begin with the first, and end with this context."""

    def __init__(self, grid: Grid, pipeline: Pipeline, last_key: int, progress: Progress = unheard) -> None:
        """`pipeline`: that of the policies that are tested; `last_key`: of all windows."""
        self._grid, self._progress = grid, progress
        window = pipeline.evaluation.prequential
        self._masks = (Mask(name=window.split, split=pipeline.data.split),)
        self._moments = sorted({(one.key, one.timestamp_us) for one in grid.models})
        last_keys = dict.fromkeys(range(len(grid.runs)), last_key)
        self._anew = Anew(runs_to_score(grid, pipeline), last_keys, os.cpu_count() or 1)
        self._known: dict[Stint, Scores] = {}

    def __enter__(self) -> WindowScores:
        self._anew.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._anew.__exit__(*error)

    def of(self, stints: Sequence[Stint]) -> list[Scores]:
        """Those of each, in their order; behind the earliest model's row. Raises NotReadyError for what cannot be."""
        new = [one for one in dict.fromkeys(stints) if one not in self._known]
        if new:
            found = self._anew.scores([self._wanted(one) for one in new], self._progress)
            for stint, rescored in zip(new, found, strict=True):
                (scores,) = rescored.scores.values()
                self._known[stint] = {one.metric: one for one in scores}
        return [self._known[one] for one in stints]

    def _wanted(self, stint: Stint) -> Rescore:
        model = self._grid.models[stint.model]
        key, timestamp_us = self._moments[bisect_right(self._moments, stint.first_key - 1, key=lambda one: one[0]) - 1]
        return Rescore(
            run=model.run,
            trigger_id=model.ref.trigger_id,
            trigger_key=key,
            trigger_timestamp_us=timestamp_us,
            models=(model.ref,),
            ranges=(KeyRange(first_key=stint.first_key, last_key=stint.last_key),),
            masks=self._masks,
            device=self._grid.runs[model.run].state.started.evaluation_device,
            history=None,
            first_labelled_key=None,
            baselines=False,
        )
