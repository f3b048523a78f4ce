"""A grid from runs that are over: which models it has, and what makes a run useless for one."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from one_process import OneProcess
from workplace import Workplace, table

from shared.errors import NotReadyError
from supervisor.backtest.grid.earlier_runs import grid_of_runs
from supervisor.backtest.grid.policies_file import Policies, load_policies
from supervisor.backtest.grid.read_grid import read_grid
from supervisor.compare.one_dataset import refuse_changed


def run_of(small: Workplace, **scope: Any) -> OneProcess:
    """One that is over, as it lies on the disk."""
    run = OneProcess(small, random.Random(1))
    run.start(**scope)
    run.to_its_end()
    (small.run_dir / "pipeline.yaml").write_text(run.configuration.resolved_pipeline_yaml())
    (small.run_dir / "config.yaml").write_text(run.configuration.resolved_system_yaml())
    return run


@pytest.fixture
def place(small: Workplace) -> Workplace:
    """500 rows, and a pipeline whose models depend on rows alone."""
    for file in (small.folder / "data").iterdir():
        file.unlink()
    pq.write_table(table(500), small.folder / "data" / "rows.parquet")
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline |= {"strategy": {"name": "all_data"}, "trigger": {"policy": "data_amount", "every": 150}}
    small.pipeline["evaluation"] = {"metrics": ["accuracy"]}
    small.pipeline.pop("deployment")
    return small


def policies(place: Workplace) -> Policies:
    """For the pipeline as it is now."""
    place.write()
    (place.folder / "p.yaml").write_text("{grid: {every: 7d}, policies: {weekly: {policy: time, every: 7d}}}")
    return load_policies(*(place.folder / name for name in ("p.yaml", "pipeline.yaml", "config.yaml")))


def test_a_model_is_what_a_trigger_got(place: Workplace) -> None:
    """Its row, its rows, its seconds and its weights."""
    run = run_of(place)
    grid = read_grid([place.run_dir], ["all_data"])
    triggers = [one for _, one in sorted(run.state.triggers.items())]
    assert [one.key for one in grid.models] == [149, 299, 449]
    assert [(one.samples, one.train_s) for one in grid.models] == [(one.samples, one.train_s) for one in triggers]
    assert [one.ref.object for one in grid.models] == [one.model for one in triggers]
    assert (grid.first_key, grid.newest(100), grid.newest(299), grid.newest(400)) == (150, 0, 1, 1)


def test_weights_that_are_gone_are_missed(place: Workplace) -> None:
    """They would have to be asked."""
    run_of(place)
    (place.run_dir / "models" / "1" / "model.safetensors").unlink()
    with pytest.raises(NotReadyError, match="the weights of 1 model are gone"):
        read_grid([place.run_dir], ["all_data"])


def test_a_grid_without_a_model_is_none(place: Workplace) -> None:
    """Where the clock never struck."""
    place.pipeline["trigger"]["every"] = 900
    run_of(place)
    with pytest.raises(NotReadyError, match=r"no model of the pipeline's own strategy \(all_data\): no trigger fired"):
        read_grid([place.run_dir], ["all_data"])


def test_classes_that_are_numbered_trigger_by_trigger_are_no_grid(place: Workplace) -> None:
    """Unless the dataset lists them."""
    rows = table(500)
    labels = ["c" if key > 200 and key % 5 == 0 else "ab"[key % 2] for key in range(500)]
    rows = rows.set_column(3, "label", [labels])
    pq.write_table(rows, place.folder / "data" / "rows.parquet")
    place.pipeline["model"]["config"]["num_classes"] = 3
    run_of(place)
    with pytest.raises(NotReadyError, match=r"knows 2 of 3 classes.* list all in `classes` of dataset rows"):
        read_grid([place.run_dir], ["all_data"])


def test_a_dataset_that_has_changed_is_noticed(place: Workplace) -> None:
    """A file with other contents; those that were added are no change."""
    run_of(place)
    (run,) = read_grid([place.run_dir], ["all_data"]).runs
    (entry,) = run.entries
    added = msgspec.structs.replace(entry, file="more.parquet", first_key=entry.stop_key)
    refuse_changed(run, [entry, added], None)
    with pytest.raises(NotReadyError, match="the dataset is not what it was for .* with other contents; train the mod"):
        refuse_changed(run, [msgspec.structs.replace(entry, fingerprint="other")], None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"trigger": {"policy": "time", "every": "9d"}, "logging": {"level": "debug"}}, None),
        ({"evaluation": {"metrics": ["accuracy"], "on": [{"name": "m", "window": {"every": "30d"}}]}}, None),
        ({"training": {"use_previous_model": False, "epochs": 3}}, "its training.epochs is another one"),
        ({"evaluation": {"metrics": ["log_loss"]}}, "its evaluation.metrics is another one"),
        ({"data": {"dataset": "rows", "split": {"test": 0.3}}}, "its data.split.test is another one"),
    ],
)
def test_earlier_runs_are_of_this_pipeline_but_for_trigger_and_strategy(
    place: Workplace, change: dict[str, Any], told: str | None
) -> None:
    """And what changes no model; others are left out with the reason."""
    run_of(place)
    place.pipeline |= change
    said: list[str] = []
    if told is None:
        assert len(grid_of_runs(place.run_dir, policies(place), 0, said.append).models) == 3
        assert said == []
        return
    with pytest.raises(NotReadyError, match=told):
        grid_of_runs(place.run_dir, policies(place), 0, said.append)
    assert said[0].startswith(f"{place.run_dir} is left out: ")


def test_earlier_runs_of_other_rows_or_strategies(place: Workplace) -> None:
    """Rows that begin elsewhere are others; another strategy is a series of its own, and none of the pipeline's."""
    run_of(place, start_replay_us=100 * 3_600_000_000)
    with pytest.raises(NotReadyError, match="it began with row 100, not 0 as this back-test"):
        grid_of_runs(place.run_dir, policies(place), 0, lambda _: None)
    place.pipeline["strategy"] = {"name": "latest", "limit": 90}
    with pytest.raises(NotReadyError, match=r"no model of the pipeline's own strategy \(latest limit=90\)"):
        grid_of_runs(place.run_dir, policies(place), 100, lambda _: None)


def test_a_run_that_goes_by_triggers_is_left_out(place: Workplace) -> None:
    """Whatever this pipeline's strategy is."""
    place.pipeline["strategy"] = {"name": "new_data"}
    run_of(place)
    place.pipeline["strategy"] = {"name": "all_data"}
    with pytest.raises(NotReadyError, match="new_data selects from the rows since the trigger before"):
        grid_of_runs(place.run_dir, policies(place), 0, lambda _: None)
