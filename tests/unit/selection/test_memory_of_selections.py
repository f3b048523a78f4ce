"""A selection takes no more memory for more rows: neither to know which may be chosen, nor for what is chosen."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Split
from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.table import TableDataset, open_dataset
from shared.training_set import TrainingSetWriter
from tests.unit.strategies.asked import named
from workers.selection.known import Known
from workers.selection.reader import Source
from workers.selection.select import Memory, select

FEW, MANY = 2**21, 2**23
STRATEGIES = (named("all_data"), named("uniform", of="all", fraction=0.5), named("latest", limit=2**22))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> TableDataset:
    """Many rows, few bytes; those without a label may be dropped."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "data").mkdir()
    table = pa.table({"time": np.zeros(MANY, np.int64), "label": np.zeros(MANY, np.int8), "x": np.zeros(MANY, np.int8)})
    pq.write_table(table, folder / "data/a.parquet", row_group_size=2**20)
    config = Dataset(
        name="many", kind="table", uri=str(folder / "data"), timestamp="time", unit="s", label="label", features=("x",),
        image=None, text=None, nulls=Nulls(labels="drop"),
    )  # fmt: skip
    return open_dataset(config, discover(config, str(folder / "runs")))


def most_bytes(dataset: TableDataset, strategy, rows: int, folder: Path) -> int:
    """The most that a selection of so many rows has at once; of memory that numpy and Python know of."""
    known = Known(first_key=0, previous=(), trigger_id=0, trigger_key=rows - 1, labelled_key=rows - 1)
    source = Source(dataset, Split(test=0.1, validation=0.0, by=None))
    tracemalloc.start()
    try:
        with TrainingSetWriter(folder / "set") as writer:
            select(strategy, known, source, Memory(), writer)
        assert writer.rows > rows / 4
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.name)
def test_memory_does_not_grow_with_the_rows(dataset, strategy, tmp_path):
    """But for a bit a row, as labels can be null here; a key alone takes 64."""
    few, many = (most_bytes(dataset, strategy, rows, tmp_path) for rows in (FEW, MANY))
    assert many - few < (MANY - FEW) / 8 + 2**19
