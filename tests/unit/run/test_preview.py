"""What a trigger policy would do with the rows that exist is what it does."""

from __future__ import annotations

import pytest
from workplace import HOUR_US

from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from supervisor.run.start.preview import Preview, preview


@pytest.mark.parametrize(
    ("policy", "every", "triggers"),
    [("data_amount", 500, 4), ("data_amount", 2001, 0), ("time", "8h", 249), ("time", "2000h", 0)],
)
def test_triggers_on_all_rows(small, policy, every, triggers):
    """2,000 rows an hour apart: how many triggers, and what the rows span."""
    small.pipeline["trigger"] = {"policy": policy, "every": every}
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    config = configuration.system.datasets["rows"]
    dataset = open_dataset(config, discover(config, str(small.folder / "runs")))
    found = preview(configuration.pipeline, dataset)
    assert found == Preview(triggers=triggers, rows=2000, first_us=0, last_us=1999 * HOUR_US)
