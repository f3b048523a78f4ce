"""Pieces that are remembered are those that would be read, whatever was asked for before."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from shared.dataset.discovery import discover
from shared.dataset.remembering import Memory, RememberingDataset
from shared.dataset.table import TableDataset
from shared.errors import DataError
from tests.unit.dataset.test_table import config_of


def opened(folder: Path, memory: Memory) -> tuple[TableDataset, RememberingDataset]:
    """40 rows in a Parquet file with row groups of 7, a CSV file and another Parquet file: without and with memory."""
    data = folder / "data"
    data.mkdir()
    for first, stop, name in ((0, 25, "a.parquet"), (25, 29, "b.csv"), (29, 40, "c.parquet")):
        keys = list(range(first, stop))
        rows = pa.table({"time": [10 * key for key in keys], "x": keys, "label": [key % 2 for key in keys]})
        if name.endswith("csv"):
            pa_csv.write_csv(rows, data / name)
        else:
            pq.write_table(rows, data / name, row_group_size=7)
    config = config_of(data)
    entries = discover(config, str(folder / "runs"))
    return TableDataset(config, entries), RememberingDataset(config, entries, memory=memory)


@pytest.mark.parametrize("room_bytes", [0, 300, 10**6])
def test_pieces_end_where_they_do_without_memory(tmp_path: Path, room_bytes: int) -> None:
    """So sums that are made piece by piece have the same bits."""
    plain, remembering = opened(tmp_path, Memory(room_bytes))
    dice = Random(3)
    for _ in range(150):
        first, stop = sorted(dice.sample(range(42), 2))
        columns, at_once = dice.choice([["x"], ["label", "x"]]), dice.choice([3, 5, 100])
        found = list(remembering.batches(columns, first, stop, at_once))
        assert found == list(plain.batches(columns, first, stop, at_once))


def test_what_is_remembered_is_not_read_again(tmp_path: Path) -> None:
    """A second time the same memory is given, unless there is no room."""

    def addresses(dataset: TableDataset, *keys: int) -> list[int]:
        pieces = dataset.batches(["x"], *keys, 3)
        return [rows.column(0).chunk(0).buffers()[1].address for _, rows in pieces]

    _, remembering = opened(tmp_path, Memory(10**6))
    first = addresses(remembering, 1, 13)
    assert addresses(remembering, 1, 13) == first
    assert addresses(remembering, 4, 10) == first[1:4]
    (tmp_path / "small").mkdir()
    _, without_room = opened(tmp_path / "small", Memory(0))
    held = list(without_room.batches(["x"], 1, 13, 3))
    assert addresses(without_room, 1, 13) != [rows.column(0).chunk(0).buffers()[1].address for _, rows in held]


def test_a_file_that_was_written_over_is_refused(tmp_path: Path) -> None:
    """Although its rows are remembered; one that was only touched is read again."""
    plain, remembering = opened(tmp_path, Memory(10**6))
    before = list(remembering.batches(["x"], 2, 9))
    file = tmp_path / "data" / "a.parquet"
    os.utime(file, (1, 1))
    assert list(remembering.batches(["x"], 2, 9)) == before
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(DataError, match=r"a\.parquet"):
        list(remembering.batches(["x"], 2, 9))
