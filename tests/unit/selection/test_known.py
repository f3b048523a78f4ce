"""Rows whose labels stand in a table of their own lie anywhere, and files may write their columns unlike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Named, Split
from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.table import TableDataset, open_dataset
from shared.labels.index import LabelIndex
from shared.labels.writer import LabelIndexWriter
from shared.messages.tasks import Watermarks
from tests.support.selecting import select
from workers.selection.known import InATable, Known, UpToAKey

ROWS = 91
COLUMNS = ("time", "carrier", "id")
KNOWN = Known(first_key=0, previous=(), trigger_id=0, trigger_key=ROWS - 1, labelled_key=ROWS - 1)


@pytest.fixture
def dataset(tmp_path: Path) -> TableDataset:
    """Three files: the one in the middle writes times and carriers in other types than the two that are alike."""
    (tmp_path / "data").mkdir()
    ids = pa.array(np.arange(ROWS))
    columns = {"time": ids.cast(pa.timestamp("s")), "carrier": pa.array(np.arange(ROWS) % 7), "id": ids}
    whole = pa.table({**columns, "x": np.zeros(ROWS)})
    other = whole.set_column(0, "time", whole["time"].cast(pa.string()))
    other = other.set_column(1, "carrier", whole["carrier"].cast(pa.float64()))
    for name, rows in (("a", whole.slice(0, 30)), ("b", other.slice(30, 30)), ("c", whole.slice(60))):
        pq.write_table(rows, tmp_path / f"data/{name}.parquet")
    config = Dataset(
        name="flights", kind="table", uri=str(tmp_path / "data"), timestamp="time", unit=None, label="label",
        features=("x",), image=None, text=None,
    )  # fmt: skip
    return open_dataset(config, discover(config, str(tmp_path / "runs")))


@pytest.fixture
def index(tmp_path: Path) -> LabelIndex:
    """Every third row has no label; the others become known in another order than that of their keys."""
    ids = np.array([row for row in range(ROWS) if row % 3])
    writer = LabelIndexWriter(tmp_path / "index", None)
    writer.found(0, pa.table({"id": ids}), 1000 + ids * 37 % 101, pa.chunked_array([ids % 2]), 0)
    writer.observe(0, [pa.table({"id": np.arange(ROWS)})], np.repeat([0, 5000], [ROWS - 1, 1]))
    return LabelIndex(tmp_path / "index")


def test_known_rows_are_read_from_files_that_write_unlike(dataset: TableDataset, index: LabelIndex) -> None:
    """Each row with its own columns, ascending or in the order in which they became known; and they are selected."""
    known = index.newly_known(None, ROWS - 1).tolist()
    in_order = sorted(known, key=lambda row: (1000 + row * 37 % 101, row))
    rows = InATable(dataset, KNOWN, index)
    for found, expected in ((rows.since(None, COLUMNS), known), (rows.in_order(COLUMNS), in_order)):
        pieces = list(found)
        assert [key for keys, _ in pieces for key in keys.tolist()] == expected
        assert [row for _, table in pieces for row in table["id"].to_pylist()] == expected
        assert [int(one) for _, table in pieces for one in table["carrier"].to_pylist()] == [k % 7 for k in expected]
    for split in (Split(test=0.0, validation=0.0, by=None), Split(test=0.0, validation=0.0, by="carrier")):
        chosen = select(Named(name="new_data", options={"tail": 0}), KNOWN, dataset, split, index)
        assert chosen.keys.tolist() == known


def test_rows_that_are_released_are_new_again(dataset: TableDataset, tmp_path: Path) -> None:
    """Those that were known at the trigger before, and had to be left out there, come before those that were not."""
    ids = np.arange(ROWS)
    writer = LabelIndexWriter(tmp_path / "index", None)
    writer.found(0, pa.table({"id": ids}), 1000 + ids * 37 % 101, pa.chunked_array([ids % 2]), 0)
    writer.observe(0, [pa.table({"id": ids})], 1000 + 2 * ids)
    index = LabelIndex(tmp_path / "index")
    before, held = index.newly_known(None, 40), ((3, 8), (20, 25))
    newly = index.in_order_known(40, ROWS - 1).tolist()
    released = [key for key in before.tolist() if 3 <= key <= 8 or 20 <= key <= 25]
    assert released
    previous = Watermarks(key=40, labelled_key=40, released=held)
    known = Known(
        first_key=0,
        previous=(previous,),
        observed=previous,
        trigger_id=0,
        trigger_key=ROWS - 1,
        labelled_key=ROWS - 1,
        left_out=((50, 60),),
    )
    rows = InATable(dataset, known, index)
    assert [key for keys, _ in rows.in_order(COLUMNS) for key in keys.tolist()] == released + newly
    assert before[rows.are_new(before, previous)].tolist() == released
    everything = Split(test=0.0, validation=0.0, by=None)
    chosen = select(Named(name="new_data", options={"tail": 0}), known, dataset, everything, index)
    assert chosen.keys.tolist() == sorted(key for key in (*released, *newly) if not 50 <= key <= 60)


@pytest.mark.parametrize("columns", [(), COLUMNS])
def test_where_no_label_is_known_yet_there_are_no_rows(dataset: TableDataset, columns: tuple[str, ...]) -> None:
    """Also of a run whose first row lies within a file."""
    known = Known(first_key=10, previous=(), trigger_id=0, trigger_key=50, labelled_key=None)
    rows = UpToAKey(dataset, known)
    assert list(rows.since(None, columns)) == []
    assert rows.read_on() == 41
