"""`--runs`: the models of runs that are there stand for those of a grid, where nothing but triggers and strategies
makes them differ from the pipeline's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from shared.config.load import Configuration
from shared.config.pipeline import Pipeline
from shared.errors import NotReadyError
from supervisor.backtest.grid.dependence import of_strategy
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.grid.policies_file import Policies, title_of
from supervisor.backtest.grid.read_grid import RunOfSeries, grid_of
from supervisor.compare.run_dirs import runs_meant
from supervisor.compare.scored_run import ScoredRun, read_run

# What changes no model, and no score of the composite.
_WHATEVER = {
    "": {"pipeline", "trigger", "strategy", "deployment", "logging"},
    "training": {"attempts", "backlog", "checkpoint_every_s", "max_in_flight", "on_failure", "stall_after_s"},
    "evaluation": {"newest", "on", "estimate"},
    "dataset": {"name", "uri"},
    "dataset.labels": {"uri"},
}


def grid_of_runs(folder: Path, policies: Policies, first_key: int, progress: Callable[[str], None]) -> Grid:
    """The grid of all runs in a folder, or of one, that are of this pipeline but for `trigger` and `strategy`.

    `first_key`: of the rows that are followed; `progress` is told sentences: which runs are left out. Raises
    ConfigurationError for a folder without runs, NotReadyError where none is of use.
    """
    titles, found, reasons = [policies.series[0].title], list[RunOfSeries](), list[str]()
    strategies = [policies.series[0].strategy]
    for place in runs_meant([folder]):
        run = read_run(place.typed)
        why = _objection(run, policies.configuration, first_key)
        if why is not None:
            reasons.append(f"{run.run} is left out: {why}")
            progress(reasons[-1])
            continue
        strategy = run.configuration.pipeline.strategy
        if strategy not in strategies:
            strategies.append(strategy)
            titles.append(title_of(run.configuration.pipeline_source.written["strategy"]))
        found.append(RunOfSeries(run, strategies.index(strategy)))
    if not found:
        raise NotReadyError(f"--runs {folder}: no run in it can be used.", *(f"{one}." for one in reasons))
    return grid_of(found, titles)


def _objection(run: ScoredRun, stock: Configuration, first_key: int) -> str | None:
    """Why its models are of no use here, as a part of a sentence."""
    if run.status != "finished":
        return f"it has not finished, but is {run.status}"
    if not run.state.experiment:
        return "it followed its dataset; only experiments have models that others would have had"
    if run.state.started.first_key != first_key:
        return f"it began with row {run.state.started.first_key:,}, not {first_key:,} as this back-test"
    key = next(_differing(_essence(run.configuration), _essence(stock)), None)
    if key is not None:
        return f"its {key} is another one"
    dependent = next(of_strategy(run.configuration.pipeline.strategy), None)
    return None if dependent is None else dependent[1].rstrip(".")


def _essence(configuration: Configuration) -> dict[str, Any]:
    """All on which models and their scores depend, but for triggers and strategies."""
    pipeline: Pipeline = configuration.pipeline
    said: dict[str, Any] = msgspec.to_builtins(pipeline)
    said["evaluation"]["split"] = pipeline.evaluation.prequential.split
    said["dataset"] = msgspec.to_builtins(configuration.system.datasets[pipeline.data.dataset])
    return said


def _differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Dotted keys at which values differ."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        if one != other:
            yield path
        return
    for key in one | other:
        if key not in _WHATEVER.get(path, ()):
            yield from _differing(one.get(key), other.get(key), f"{path}.{key}" if path else key)
