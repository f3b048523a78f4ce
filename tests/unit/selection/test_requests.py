"""What a strategy may ask for beside keys: event times, labels, and since when rows are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.pipeline import Split
from shared.config.system import Dataset, Labels
from shared.dataset.discovery import discover
from shared.dataset.table import TableDataset, open_dataset
from shared.labels.as_of import FINAL
from shared.labels.index import LabelIndex
from shared.labels.writer import LabelIndexWriter
from shared.messages.tasks import Watermarks
from tests.support.selecting import select
from tests.unit.strategies.asked import named
from workers.features.labelled_rows import KnownLabels, LabelledRows
from workers.selection.event_times import EventTimes
from workers.selection.known import Known

DAY_S = 86_400
ROWS = 120
EVERYTHING = Split(test=0.0, validation=0.0, by=None)
LATE = (20, 50)  # rows that are dated back
WRONG = 70  # a row that is dated in the far future


def config_of(folder: Path, **options) -> Dataset:
    """A dataset in a folder."""
    return Dataset(
        name="days", kind="table", uri=str(folder / "data"), timestamp="time", unit="s", label="label", features=("x",),
        image=None, text=None, **options,
    )  # fmt: skip


def write(folder: Path, *, with_labels: bool) -> None:
    """A row a day, some late, in two files."""
    days = np.arange(ROWS)
    times = np.where(np.isin(days, LATE), 0, days) * DAY_S
    times[WRONG] = 10**11
    columns = {"time": times, "x": np.zeros(ROWS), "id": days}
    table = pa.table(
        columns | ({"label": ["rare" if day % 10 == 0 else "often" for day in days]} if with_labels else {})
    )
    (folder / "data").mkdir()
    pq.write_table(table.slice(0, 77), folder / "data/a.parquet", row_group_size=10)
    pq.write_table(table.slice(77), folder / "data/b.parquet", row_group_size=10)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> TableDataset:
    """Labels in their rows."""
    folder = tmp_path_factory.mktemp("rows")
    write(folder, with_labels=True)
    config = config_of(folder)
    return open_dataset(config, discover(config, str(folder / "runs")))


@pytest.fixture(scope="module")
def late(tmp_path_factory) -> tuple[LabelledRows, LabelIndex]:
    """Labels in a table of their own: every third row has none."""
    folder = tmp_path_factory.mktemp("late")
    write(folder, with_labels=False)
    config = config_of(folder, labels=Labels(uri="labels", key=("id",), label="label", known_at="known_at"))
    ids = np.array([row for row in range(ROWS) if row % 3])
    writer = LabelIndexWriter(folder / "index", None)
    writer.found(0, pa.table({"id": ids}), ids * 37 % 101, pa.chunked_array([ids % 2]), 0)
    for first, stop in ((0, 60), (60, ROWS)):
        writer.observe(first, [pa.table({"id": np.arange(first, stop)})], np.arange(first, stop))
    index = LabelIndex(folder / "index")
    rows = LabelledRows(config, discover(config, str(folder / "runs")), labels=KnownLabels(index, FINAL))
    return rows, index


def known(key, *earlier, first_key=0, labelled_key=None, left_out=()):
    """What is known at a trigger."""
    labelled_key = key if labelled_key is None else labelled_key
    previous = tuple(one if isinstance(one, Watermarks) else Watermarks(key=one, labelled_key=one) for one in earlier)
    return Known(
        first_key=first_key,
        previous=previous,
        trigger_id=0,
        trigger_key=key,
        labelled_key=labelled_key,
        left_out=tuple(left_out),
    )


def test_a_window_of_time_goes_by_event_time(dataset):
    """Late rows are where they came, a row dated wrongly moves nothing, and it ends at the last known label."""
    window = named("sliding_window", last="30d")
    assert select(window, known(79), dataset, EVERYTHING).keys.tolist() == list(range(51, 80))
    assert select(window, known(99, labelled_key=79), dataset, EVERYTHING).keys.tolist() == list(range(51, 80))
    assert select(window, known(79, first_key=60), dataset, EVERYTHING).keys.tolist() == list(range(60, 80))


@settings(max_examples=40, deadline=None)
@given(keys=st.sets(st.integers(10, 99)), cuts=st.lists(st.integers(0, 90), max_size=4))
def test_event_times_are_the_running_maximum_over_all_rows(dataset, keys, cuts):
    """Of any of them, in any pieces."""
    some, times = np.array(sorted(keys), np.int64), EventTimes(dataset, known(99, first_key=10))
    found = list(times.of(np.split(some, sorted(min(cut, len(some)) for cut in cuts))))
    assert [key for piece, _ in found for key in piece.tolist()] == some.tolist()
    expected = np.where(np.isin(some, [*LATE, WRONG]), some - 1, some) * DAY_S * 1_000_000
    assert [time for _, piece in found for time in piece.tolist()] == expected.tolist()
    assert times.last_us() == 99 * DAY_S * 1_000_000


def test_labels_are_balanced_of_new_rows_and_of_all(dataset, late):
    """Wherever they stand; a rare one gives all its rows."""
    keys = select(named("balanced", by="label", of="all", limit=30), known(99, 79), dataset, EVERYTHING).keys
    assert [key for key in keys.tolist() if key % 10 == 0] == list(range(0, 100, 10))
    assert len(keys) == 30
    keys = select(named("balanced", by="label"), known(99, 79), dataset, EVERYTHING).keys
    assert (keys[0] >= 80, len(keys), sum(keys % 10 == 0)) == (True, 4, 2)
    rows, index = late
    keys = select(named("balanced", by="label", of="all", limit=40), known(ROWS - 1), rows, EVERYTHING, index).keys
    assert (len(keys), sum(keys % 2), sum(keys % 3 == 0)) == (40, 20, 0)


def test_rows_are_of_the_trigger_at_which_they_were_known(dataset, late):
    """A row that was set aside is of the one at which it was released, one of late label of the one that knew that."""
    by_trigger = named("balanced", by="trigger", tail=2, limit=30)
    earlier = (59, Watermarks(key=79, labelled_key=79, released=((60, 63),)), 99)
    keys = select(by_trigger, known(109, *earlier), dataset, EVERYTHING).keys
    first = [key for key in keys.tolist() if 64 <= key < 80]
    assert (len(keys), len(first), sum(keys >= 100), sum(keys < 60)) == (30, 10, 10, 0)
    rows, index = late
    keys = select(by_trigger, known(ROWS - 1, 59, 89), rows, EVERYTHING, index).keys
    newest = set(index.newly_known(89, ROWS - 1).tolist())
    assert (len(keys), len(newest & set(keys.tolist()))) == (30, 10)
    assert any(key < 90 for key in newest)
