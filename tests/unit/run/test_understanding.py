"""What a run would make of a dataset: which rows it follows, and that a policy that never fires is warned of."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from supervisor.run.start.understanding import Understanding, understanding


def understood(small: Workplace, *, experiment_mode: bool) -> Understanding:
    """Of the 2,000 rows of the workplace."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=experiment_mode)
    config = configuration.system.datasets["rows"]
    dataset = open_dataset(config, discover(config, str(small.folder / "runs")))
    return understanding(configuration.pipeline, dataset)


@pytest.mark.parametrize("experiment_mode", [True, False])
def test_triggers_that_rows_which_are_there_fire(small, experiment_mode):
    """Where they are replayed, in either mode."""
    found = understood(small, experiment_mode=experiment_mode)
    assert (found.dataset.rows, found.policy, found.triggers, found.initial_mode) == (2000, "data_amount", 4, "replay")
    assert found.warnings == ()


def test_the_policy_sees_the_rows_as_a_run_does(small):
    """Wherever pieces of files end, and where the first row is dated too late to have its time."""
    small.pipeline["trigger"] = {"policy": "time", "every": "8h"}
    for number in range(2):
        path = small.folder / "data" / f"part-{number}.parquet"
        rows = pq.read_table(path)
        if number == 0:
            times = rows.column("timestamp").to_pylist()
            times[0] = times[0].replace(year=2191)
            rows = rows.set_column(rows.column_names.index("timestamp"), "timestamp", pa.array(times))
        pq.write_table(rows, path, row_group_size=333)
    found = understood(small, experiment_mode=True)
    assert (found.triggers, found.dataset.misdated_rows, found.dataset.rows) == (249, 1, 2000)


@pytest.mark.parametrize("mode", ["ignore", "train_on_everything"])
def test_rows_that_the_policy_does_not_see_fire_none(small, mode):
    """That is no reason for a warning."""
    small.pipeline["initial_mode"] = mode
    found = understood(small, experiment_mode=False)
    assert (found.triggers, found.initial_mode, found.warnings) == (None, mode, ())


def test_a_policy_that_never_fires(small):
    """A warning with what the rows span."""
    small.pipeline["trigger"]["every"] = 2001
    found = understood(small, experiment_mode=True)
    assert found.triggers == 0
    assert found.warnings[-1].startswith("the trigger policy never fired on 2,000 rows, whose event time goes from ")
