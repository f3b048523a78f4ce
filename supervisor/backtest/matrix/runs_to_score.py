"""The runs of a grid, as processes that ask their models know them: by the pipeline that is tested."""

from __future__ import annotations

import msgspec

from shared.config.pipeline import Pipeline
from supervisor.backtest.grid.grid import Grid
from supervisor.compare.run_to_score import RunToScore
from supervisor.compare.scored_run import ScoredRun
from supervisor.system.setup import setup_record


def runs_to_score(grid: Grid, pipeline: Pipeline) -> list[RunToScore]:
    """One for each of `grid.runs`, with its models and its dataset. What is measured is what this pipeline measures."""
    return [_to_score(run, pipeline) for run in grid.runs]


def _to_score(run: ScoredRun, pipeline: Pipeline) -> RunToScore:
    root = run.configuration.system.artifacts_root
    record = setup_record(run.configuration, run.state.run_id, str(run.path), root, serves=False)
    record = msgspec.structs.replace(record, pipeline=pipeline)
    return RunToScore(record=record, state=run.state, folder=run.path, code=run.code)
