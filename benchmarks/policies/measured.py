"""The matrix of losses of a stream's grid, as the product has measured it, and what is known once learning ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.policies.asked import Shape
from benchmarks.policies.matrix import Matrix, bill
from benchmarks.policies.product import GRID
from benchmarks.policies.streams import Stream
from shared.config.pipeline import Metric
from shared.plugins import METRICS
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.grid.grid_runs import planned_grid
from supervisor.backtest.grid.policies_file import Policies, load_policies
from supervisor.backtest.grid.read_grid import read_grid
from supervisor.backtest.judging.course import Stretch, Switch
from supervisor.backtest.judging.courses import course_of
from supervisor.backtest.matrix.losses import Losses, measure_losses

_LOSSES = "losses"  # where `backtest` keeps them in its run directory
_SAME = 1e-6  # relative: sums in another order
_US = 1e6


class Measured(NamedTuple):
    """What rivals get."""

    matrix: Matrix
    learned: int  # windows that may be learned from
    shape: Shape
    models: int  # of the grid, all strategies
    metric: Metric
    grid: Grid
    losses: Losses

    def learned_cost(self, triggers: Sequence[Mapping[str, Any]], price: float) -> float:
        """Of a policy, by its triggers as `backtest` tells them, on the rows that it was fitted on."""
        numbers = {self.grid.models[number].key: number for number in self.grid.numbers(0)}
        trained = [one for one in triggers if one["model"] is not None]
        switches = [Switch(one["key"], numbers[one["model"]["key"]]) for one in trained]
        stretch = Stretch(self.grid.first_key, self.shape.learned_rows - 1)
        course = course_of(switches, self.grid, stretch, tuned=False)
        stints = course.stints(stretch)
        lost = sum(self.losses.between(one.model, one.first_key, one.last_key + 1) for one in stints)
        return price * course.trainings + lost

    @property
    def kept_loss(self) -> float:
        """Of the first model on the rows that may be learned from."""
        return bill(self.matrix, (), 0.0, 0, self.learned).loss

    @property
    def judged_rows(self) -> int:
        """How many have a label."""
        return int(self.matrix.rows[self.learned :].sum())

    def mean(self, loss: float) -> float:
        """The metric over the judged rows with such a loss."""
        return _mean(self.metric, loss, self.judged_rows)


def measured(stream: Stream, folder: Path, file: Path, content: Mapping[str, Any]) -> Measured:
    """Of the grid that `backtest` has made in this folder; `file` and `content`: its POLICIES.yaml and its answer.

    Raises RuntimeError where the matrix does not say what the answer does.
    """
    policies = load_policies(file, stream.pipeline, stream.config)
    grid = _grid(stream, policies, folder / GRID)
    windows = content["policies"][0]["windows"]
    first_key, last_key = windows[0]["first_key"], windows[-1]["last_key"]
    pipeline = policies.configuration.pipeline
    losses = measure_losses(grid, pipeline, policies.metric, last_key, folder / GRID / _LOSSES, lambda done, of: None)
    keys = [grid.models[number].key for number in grid.numbers(0) if grid.models[number].key < last_key]
    cuts = np.array([*(key + 1 for key in keys), last_key + 1])
    found = np.zeros((len(keys), len(keys)))
    for model in range(len(keys)):
        found[model, model:] = losses.sums(model, cuts[model:])
    rows = np.array([losses.rows(*ends) for ends in zip(cuts.tolist(), cuts[1:].tolist(), strict=False)])
    matrix, learned = Matrix(found, rows), keys.index(first_key - 1)
    shape = _shape(stream, policies, grid, matrix, learned)
    result = Measured(matrix, learned, shape, len(grid.models), policies.metric, grid, losses)
    _require_same(result, content)
    return result


def _grid(stream: Stream, policies: Policies, place: Path) -> Grid:
    """One run for each strategy."""
    runs = planned_grid(policies, (stream.pipeline, stream.config), ())
    return read_grid([place / one.name for one in runs], [one.title for one in policies.series])


def _shape(stream: Stream, policies: Policies, grid: Grid, matrix: Matrix, learned: int) -> Shape:
    """What policies are written by."""
    metric, pipeline = policies.metric, policies.configuration.pipeline
    models = [grid.models[number] for number in grid.numbers(0)]
    first, last = models[0], models[-1]
    apart, known_rows = max(len(models) - 1, 1), int(matrix.rows[:learned].sum())
    kept, renewed = (bill(matrix, switches, 0.0, 0, learned).loss for switches in ((), range(learned)))
    dataset = policies.configuration.system.datasets[pipeline.data.dataset]
    return Shape(
        every=stream.every,
        rows=(last.key - first.key) // apart,
        seconds=(last.timestamp_us - first.timestamp_us) / apart / _US,
        learned_rows=models[learned].key + 1,
        metric=metric.label,
        kept=_mean(metric, kept, known_rows),
        renewed=_mean(metric, renewed, known_rows),
        is_bounded=METRICS[metric.name].worst is not None,
        is_text=dataset.text is not None,
        labels=tuple(one.label for one in pipeline.evaluation.metrics),
    )


def _mean(metric: Metric, loss: float, rows: int) -> float:
    kind = METRICS[metric.name]
    best = kind.best or 0.0
    return best - loss / rows if kind.greater_is_better else best + loss / rows


def _require_same(result: Measured, content: Mapping[str, Any]) -> None:
    """Rivals are judged on what policies are judged on: the calendars come to the same by both."""
    windows, price = result.matrix.windows, content["prices"][0]["training"]
    for name, switches in (("never", ()), ("every", range(windows))):
        ours = bill(result.matrix, list(switches), price, result.learned, windows).cost
        theirs = content["baselines"][name]["cost"]
        if abs(ours - theirs) > _SAME * max(abs(theirs), 1.0):
            raise RuntimeError(f"calendar `{name}` costs {ours} by the matrix of losses, and {theirs} by `backtest`")
