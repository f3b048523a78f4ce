"""Grids whose models lose what an array says, and contenders on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from shared.artifacts import ArtifactRef
from shared.config.pipeline import Metric
from shared.ids import TriggerId
from shared.messages.reports import MetricValue
from shared.messages.tasks import ModelRef
from supervisor.backtest.grid.grid import Grid, GridModel
from supervisor.backtest.judging.contenders import Contender, Setting, judged
from supervisor.backtest.judging.content import content_of
from supervisor.backtest.judging.course import Stint, Stretch, Switch
from supervisor.core.seen import Fired

HOUR_US = 3_600_000_000


class Price(NamedTuple):
    """What things cost."""

    training: float
    gpu_second: float = 0.0
    error: float = 1.0
    written: Any = None

    def of(self, trainings: int, gpu_s: float, loss: float) -> float:
        """The total."""
        return self.training * trainings + self.gpu_second * gpu_s + self.error * loss


class ArrayLosses:
    """Losses of (models, rows); rows of which `labelled` is False have none."""

    def __init__(self, rows: Any, metric: str = "accuracy", labelled: Any = None) -> None:
        self.rows_of = np.asarray(rows, dtype=np.float64)
        self.labelled = np.ones(self.rows_of.shape[1], bool) if labelled is None else labelled
        self.metric = Metric(name=metric, label=metric, options={})
        self._summed = np.zeros((len(self.rows_of), self.rows_of.shape[1] + 1))
        np.cumsum(np.where(self.labelled, self.rows_of, 0.0), axis=1, out=self._summed[:, 1:])

    def between(self, model: int, first_key: int, stop_key: int) -> float:
        """The sum over a stretch."""
        return float(self._summed[model, stop_key] - self._summed[model, first_key])

    def sums(self, model: int, cuts: Any) -> Any:
        """Of several stretches."""
        return np.diff(self._summed[model, cuts])

    def rows(self, first_key: int, stop_key: int) -> int:
        """How many have a label."""
        return int(self.labelled[first_key:stop_key].sum())


class ArrayScores:
    """The scores that go with such losses, and how often each window was asked for."""

    def __init__(self, losses: ArrayLosses) -> None:
        self._losses = losses
        self._best = 1.0 if losses.metric.name == "accuracy" else 0.0

    def of(self, stints: Sequence[Stint]) -> list[dict[str, MetricValue]]:
        """One metric of each window."""
        return [{self._losses.metric.label: self._value(one)} for one in stints]

    def _value(self, stint: Stint) -> MetricValue:
        losses, stretch = self._losses, slice(stint.first_key, stint.last_key + 1)
        lost = losses.rows_of[stint.model, stretch][losses.labelled[stretch]]
        value = abs(self._best - float(lost.sum()) / len(lost)) if len(lost) else None
        return scored(losses.metric.label, value, len(lost), (stint.first_key, stint.last_key))


def scored(label: str, value: float | None, rows: int, keys: tuple[int, int]) -> MetricValue:
    """A score on so many rows between these."""
    return MetricValue(
        trigger_id=TriggerId(0),
        window="next",
        slice="",
        metric=label,
        value=value,
        n=rows,
        error=None if value is not None else "no rows",
        first_timestamp_us=keys[0] * HOUR_US,
        last_timestamp_us=keys[1] * HOUR_US,
    )


def grid_of(*series: Sequence[int], train_s: float = 1.0) -> Grid:
    """Models of each series at these keys; each later one trains `train_s` longer."""
    ref = ModelRef(trigger_id=TriggerId(0), object=ArtifactRef(name="m", sha256="", size_bytes=0))
    models = [
        GridModel(number, key, key * HOUR_US, 0, ref, key, train_s * (place + 1))
        for number, keys in enumerate(series)
        for place, key in enumerate(keys)
    ]
    return Grid((), [f"series {number}" for number in range(len(series))], models)


def contender(name: str, grid: Grid, keys: Sequence[int], **more: Any) -> Contender:
    """A policy with triggers at these keys, each of which gets the newest model of the first series."""
    fired = [
        Fired(id=TriggerId(number), key=key, timestamp_us=key * HOUR_US, reason=f"key {key}")
        for number, key in enumerate(keys)
    ]
    switches = [Switch(key, grid.newest(key)) for key in keys]
    block = {"policy": "time", "every": name}
    early = sum(key < grid.models[0].key for key in keys)
    return Contender(name=name, block=block, fired=fired, switches=switches, early=early, **{"parameters": {}, **more})


def setting_of(grid: Grid, losses: ArrayLosses, **more: Any) -> Setting:
    """All rows behind the first model; with `tuned_until`, a key, those behind it."""
    until = more.pop("tuned_until", None)
    first_key = grid.first_key if until is None else until + 1
    last_key = losses.rows_of.shape[1] - 1
    told = {
        "every": "7d",
        "prices": (),
        "at_most": 3,
        "tuned_until_us": None if until is None else until * HOUR_US,
        "guesses": {},
        **more,
    }
    return Setting(
        grid=grid,
        losses=losses,
        scores=ArrayScores(losses),
        stretch=Stretch(first_key, last_key),
        ends_us=(first_key * HOUR_US, last_key * HOUR_US),
        **told,
    )


def made_up_content(policies: int = 5, metric: str = "accuracy", prices: Sequence[Price] = (), **more: Any) -> Any:
    """A back-test of policies that fire more and more often on models that age, as `--json` prints it."""
    dice = np.random.default_rng(0)
    keys = list(range(29, 1_200, 30))
    grid = grid_of(keys, keys)
    age = np.maximum(np.arange(1_230) - np.array([[one.key] for one in grid.models]), 0)
    lost = dice.random(age.shape) < np.minimum(0.2 + age / 2_000, 0.6)
    losses = ArrayLosses(lost if metric == "accuracy" else age / 1_000.0, metric)
    contenders = [contender(f"policy {number}", grid, keys[:: policies - number]) for number in range(policies)]
    value = more.pop("no_change", 0.5)
    guesses = {"no_change": [{metric: scored(metric, value, 1_200, (30, 1_229))}]}
    setting = setting_of(grid, losses, prices=prices, guesses=guesses, **more)
    return json.loads(json.dumps(content_of(setting, contenders, judged(setting, contenders))))
