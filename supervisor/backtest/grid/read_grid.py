"""A grid from finished runs: whatever fired there, its models are what any trigger at these rows would have got."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.errors import NotReadyError
from shared.words import counted
from supervisor.backtest.grid.grid import Grid, GridModel
from supervisor.compare.one_dataset import refuse_other_datasets
from supervisor.compare.scored_run import ScoredRun, read_run
from supervisor.core.attempts import model_ref
from supervisor.core.trigger_state import Phase


class RunOfSeries(NamedTuple):
    """A run, and of which strategy its models are."""

    run: ScoredRun
    series: int


def read_grid(run_dirs: Sequence[Path], titles: Sequence[str]) -> Grid:
    """The grid of a back-test, a run for each strategy, in their order. Raises NotReadyError for what is of no use."""
    runs = [RunOfSeries(read_run(path), series) for series, path in enumerate(run_dirs)]
    for run, _ in runs:
        if run.status != "finished":
            raise NotReadyError(f"{run.run} has not finished, but is {run.status}; go on with it by --resume.")
    return grid_of(runs, titles)


def grid_of(runs: Sequence[RunOfSeries], titles: Sequence[str]) -> Grid:
    """All models of these runs; of two of one strategy at one row the first run's. Raises NotReadyError."""
    refuse_other_datasets([one.run for one in runs])
    found: dict[tuple[int, int], GridModel] = {}
    for number, (run, series) in enumerate(runs):
        _refuse_growing_classes(run)
        for model in _models(run, number, series):
            found.setdefault((model.series, model.key), model)
    if not any(series == 0 for series, _ in found):
        fired = sum(one.run.triggers for one in runs if one.series == 0)
        told = "no trigger fired" if not fired else f"of {counted(fired, 'trigger')} none got a model"
        raise NotReadyError(
            f"the grid has no model of the pipeline's own strategy ({titles[0]}): {told}; take a closer grid."
        )
    return Grid([one.run for one in runs], titles, list(found.values()))


def _models(run: ScoredRun, number: int, series: int) -> Iterator[GridModel]:
    """Those that it has committed, as far as they know all rows up to their own."""
    gone = 0
    for index in range(len(run.state.triggers)):
        trigger = run.state.trigger(index)
        if trigger.phase is not Phase.COMMITTED or trigger.left_out or trigger.fired.by_hand:
            continue
        ref = model_ref(run.state, index)
        if trigger.retired or not (run.path / ref.object.name).is_file():
            gone += 1
            continue
        yield GridModel(
            series=series,
            key=trigger.fired.key,
            timestamp_us=trigger.fired.timestamp_us,
            run=number,
            ref=ref,
            samples=trigger.samples,
            train_s=trigger.train_s,
        )
    if gone:
        raise NotReadyError(
            f"{run.run}: the weights of {counted(gone, 'model')} are gone, and a back-test asks all of them; run it "
            "again, with a config.yaml whose retention.models keeps all."
        )


def _refuse_growing_classes(run: ScoredRun) -> None:
    """Classes that get their numbers trigger by trigger have others after other triggers."""
    known = [one.classes for one in run.state.triggers.values() if one.classes is not None]
    if known and min(known) != max(known):
        name = run.configuration.pipeline.data.dataset
        raise NotReadyError(
            f"{run.run}: the first trigger knows {min(known)} of {max(known)} classes, and how later ones are numbered "
            "goes by the triggers there are, so that no model stands for that of another trigger; list all in "
            f"`classes` of dataset {name} in config.yaml."
        )
