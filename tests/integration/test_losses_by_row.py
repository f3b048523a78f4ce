"""Losses of all models on all rows, and scores of windows, are those that a run has journaled of its own windows."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from grid_of_run import grid_of
from kinds_of_labels import ROWS, in_a_table, in_rows
from one_process import OneProcess
from rescoring import requests
from workplace import HOUR_US, Workplace

from shared.errors import NotReadyError
from shared.plugins import METRICS
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Stint
from supervisor.backtest.matrix.counted_scores import CountedScores, are_counted
from supervisor.backtest.matrix.losses import Losses, measure_losses
from supervisor.backtest.matrix.window_scores import WindowScores


def nobody(done: int, of: int) -> None:
    """Is told how far it is."""


def done(small: Workplace, **scope: Any) -> OneProcess:
    """A run that is over."""
    run = OneProcess(small, random.Random(5))
    run.start(**scope)
    run.to_its_end()
    return run


def with_holes(folder: Path) -> Workplace:
    """Some rows have no label, and only rows of one split are scored."""
    small = in_rows(folder, "numbers", label_delay="20h")
    rows = pq.read_table(folder / "data" / "rows.parquet")
    holes = pa.array(np.arange(ROWS) % 7 == 3)
    labels = pa.compute.if_else(holes, pa.scalar(None, pa.float64()), rows.column("label"))
    pq.write_table(rows.set_column(3, "label", labels), folder / "data" / "rows.parquet")
    small.config["storage"]["datasets"]["rows"]["nulls"] = {"labels": "drop"}
    small.pipeline["evaluation"]["on"][0]["split"] = "test"
    return small


def losses_of(run: OneProcess, grid: Grid, metric: int, folder: Path) -> Losses:
    """By a metric of the pipeline, up to the last row."""
    chosen = run.pipeline.evaluation.metrics[metric]
    return measure_losses(grid, run.pipeline, chosen, ROWS - 1, folder, nobody)


def windows(run: OneProcess, grid: Grid) -> list[tuple[Stint, Any]]:
    """The composite's, and the scores that workers have reported of the pipeline's own model."""
    numbers = {one.ref.trigger_id: number for number, one in enumerate(grid.models)}
    return [
        (
            Stint(numbers[wanted.trigger_id], wanted.ranges[0].first_key, wanted.ranges[0].last_key),
            {one.metric: one for one in scores[f"model {wanted.trigger_id}"]},
        )
        for wanted, scores in requests(run)
    ]


@pytest.mark.parametrize(
    ("made", "metric"),
    [
        (lambda folder: in_rows(folder, "classes"), "log_loss"),
        (lambda folder: in_a_table(folder, "texts"), "accuracy"),
        (with_holes, "mse"),
    ],
    ids=["classes", "texts in a table", "numbers with holes"],
)
def test_windows_have_the_losses_and_scores_of_the_run(
    tmp_path: Path, made: Callable[[Path], Workplace], metric: str
) -> None:
    """Over as many rows; what is not counted is nothing. Scores have the same bits, and times."""
    run = done(made(tmp_path / "a"))
    grid = grid_of(run)
    of_run = windows(run, grid)
    assert len(of_run) > 4
    place = [one.label for one in run.pipeline.evaluation.metrics].index(metric)
    losses, best = losses_of(run, grid, place, tmp_path / "losses"), METRICS[metric].best
    for stint, scores in of_run:
        n, value = scores[metric].n, scores[metric].value
        assert losses.rows(stint.first_key, stint.last_key + 1) == n
        loss = losses.between(stint.model, stint.first_key, stint.last_key + 1)
        assert loss == pytest.approx(n * abs(best - value), abs=1e-9)
    with WindowScores(grid, run.pipeline, ROWS - 1) as found:
        assert found.of([stint for stint, _ in of_run]) == [scores for _, scores in of_run]


def of_one_split(folder: Path) -> Workplace:
    """Classes; some rows have no label, and only rows of one split are scored."""
    small = in_rows(folder, "classes")
    rows = pq.read_table(folder / "data" / "rows.parquet")
    labels = pa.compute.if_else(pa.array(np.arange(ROWS) % 7 == 3), pa.scalar(None, pa.int64()), rows.column("label"))
    pq.write_table(
        rows.set_column(rows.schema.get_field_index("label"), "label", labels), folder / "data" / "rows.parquet"
    )
    small.config["storage"]["datasets"]["rows"]["nulls"] = {"labels": "drop"}
    small.pipeline["evaluation"]["on"][0]["split"] = "test"
    return small


@pytest.mark.parametrize("made", [of_one_split, lambda folder: in_rows(folder, "texts")], ids=["classes", "texts"])
def test_shares_are_counted_to_the_bit(tmp_path: Path, made: Callable[[Path], Workplace]) -> None:
    """As the run has reported them; windows in which rounding decides are asked of processes, and none else."""
    small = made(tmp_path / "a")
    small.pipeline["evaluation"]["metrics"] = ["accuracy", {"name": "top_k", "k": 2}]
    run = done(small)
    grid, of_run, asked = grid_of(run), [], []
    of_run = windows(run, grid)
    assert len(of_run) > 4
    config = run.record.dataset
    assert are_counted(run.pipeline, config)
    losses = [losses_of(run, grid, number, tmp_path / "losses") for number in range(2)]
    times = pq.read_table(tmp_path / "a" / "data" / "rows.parquet").column(config.timestamp).cast(pa.int64()).to_numpy()
    time_at = np.maximum.accumulate(times).tolist().__getitem__

    def told(done: int, of: int) -> None:
        asked.append(of)

    with WindowScores(grid, run.pipeline, ROWS - 1, told) as others:
        found = CountedScores(grid, run.pipeline, config, ROWS - 1, losses, time_at, others)
        stints = [stint for stint, _ in of_run]
        assert found.of(stints) == [scores for _, scores in of_run]
        assert found.of(stints[:2]) == [scores for _, scores in of_run[:2]]
        empty = Stint(0, grid.first_key, grid.first_key)
        assert found.of([empty]) == others.of([empty])
    uncertain = [
        one
        for one in stints
        if not all(each.are_certain(one.model, one.first_key, one.last_key + 1) for each in losses)
    ]
    assert sorted(set(asked)) == sorted({len(uncertain), 1} - {0})


def test_any_stretch_is_a_sum_of_its_rows(tmp_path: Path) -> None:
    """Of models of two runs; a second time nothing is measured, and another metric has files of its own."""
    often, seldom = in_rows(tmp_path / "a", "classes"), in_rows(tmp_path / "b", "classes")
    seldom.pipeline["trigger"]["every"] = 180
    grid = grid_of(run := done(often), done(seldom))
    losses = losses_of(run, grid, 0, tmp_path / "losses")
    for number, model in enumerate(grid.models):
        cuts = np.arange(model.key + 1, ROWS + 1)
        by_row = losses.sums(number, cuts)
        assert set(by_row) <= {0.0, 1.0}
        assert losses.between(number, model.key + 3, ROWS) == by_row[2:].sum()
    assert len({losses.between(number, 630, ROWS) for number in range(len(grid.models))}) > 2
    (tmp_path / "a" / "run" / "models").rename(tmp_path / "gone")
    again = losses_of(run, grid, 0, tmp_path / "losses")
    assert np.array_equal(again.sums(1, cuts), losses.sums(1, cuts))
    for file, size in zip(sorted((tmp_path / "losses").glob("*.npy")), (0, 90, 1000, -8), strict=False):
        some = file.read_bytes()[:size]
        file.unlink()  # what is mapped stays what it is
        file.write_bytes(some)
    with pytest.raises(NotReadyError, match="cannot be measured"):  # a file that was cut short is not taken
        losses_of(run, grid, 0, tmp_path / "losses")
    (tmp_path / "gone").rename(tmp_path / "a" / "run" / "models")
    whole = losses_of(run, grid, 0, tmp_path / "losses")
    for number, model in enumerate(grid.models):
        cuts = np.arange(model.key + 1, ROWS + 1)
        assert np.array_equal(whole.sums(number, cuts), losses.sums(number, cuts))
        assert whole.rows(630, ROWS) == losses.rows(630, ROWS)
    (tmp_path / "a" / "run" / "models").rename(tmp_path / "gone")
    with pytest.raises(NotReadyError, match="a/run: the losses of models 0 to .* cannot be measured: .* is not there"):
        losses_of(run, grid, 1, tmp_path / "losses")
    assert {one.suffix for one in (tmp_path / "losses").iterdir()} == {".npy"}  # nothing that is not whole


def test_a_bad_row_counts_for_nothing_where_runs_go_on(tmp_path: Path) -> None:
    """All others count as they would without it; in a pipeline that stops for it, the row is told."""
    small = in_rows(tmp_path / "a", "classes")
    file = tmp_path / "a" / "data" / "rows.parquet"
    rows = pq.read_table(file)
    labels = rows.column("label").to_numpy().copy()
    labels[650] = 99
    pq.write_table(rows.set_column(rows.schema.get_field_index("label"), "label", pa.array(labels)), file)
    run = done(small, stop_replay_us=600 * HOUR_US)
    grid = grid_of(run)
    with pytest.raises(NotReadyError, match="label at key 650 is 99"):
        losses_of(run, grid, 0, tmp_path / "stops")
    before = measure_losses(grid, run.pipeline, run.pipeline.evaluation.metrics[0], 649, tmp_path / "before", nobody)
    forgiving = msgspec.structs.replace(run.pipeline.training, on_failure="continue")
    run.pipeline = msgspec.structs.replace(run.pipeline, training=forgiving)
    losses = losses_of(run, grid, 0, tmp_path / "goes on")
    assert [losses.rows(600, 650), losses.rows(650, 651), losses.rows(651, ROWS)] == [50, 0, 49]
    for number, model in enumerate(grid.models):
        keys = np.arange(model.key + 1, 651)
        assert np.array_equal(losses.sums(number, keys), before.sums(number, keys))
        assert losses.between(number, 650, 651) == 0.0
        assert 0 < losses.between(number, 651, ROWS) < 49
