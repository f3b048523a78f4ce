"""The grid of a run in one process: all of its models, as those of the pipeline's own strategy."""

from __future__ import annotations

from one_process import OneProcess

from supervisor.backtest.grid.grid import Grid, GridModel
from supervisor.compare.scored_run import ScoredRun
from supervisor.core.attempts import model_ref
from supervisor.results.tally import Stretch


def grid_of(*runs: OneProcess) -> Grid:
    """`runs`: the first is series 0, the second series 1 and so on."""
    models = [
        GridModel(
            series=number,
            key=trigger.fired.key,
            timestamp_us=trigger.fired.timestamp_us,
            run=number,
            ref=model_ref(run.state, index),
            samples=trigger.samples,
            train_s=trigger.took_s or 0.0,
        )
        for number, run in enumerate(runs)
        for index, trigger in run.state.triggers.items()
        if trigger.model is not None
    ]
    return Grid([_scored(run) for run in runs], [f"series {number}" for number in range(len(runs))], models)


def _scored(run: OneProcess) -> ScoredRun:
    """What is asked of a run that is over; its windows are not."""
    return ScoredRun(
        run="run",
        path=run.directory.path,
        status="finished",
        configuration=run.configuration,
        state=run.state,
        entries=(),
        label_entries=(),
        code=run.state.started.code,
        windows=(),
        scored=Stretch(rows=0, first_us=None, last_us=None),
        triggers=0,
        failed_triggers=0,
        samples_trained=0,
        train_s=0.0,
        select_s=0.0,
    )
