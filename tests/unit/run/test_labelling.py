"""With `label_delay` a trigger knows the labels of the rows that are old enough by then, and of no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from late_labels import LateLabels
from workplace import Workplace

from shared.errors import RunFailedError
from shared.ids import TriggerId
from supervisor.core.seen import Fired
from supervisor.core.stream import LabelFind
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.labelling import Delayed
from supervisor.run.observe.table_labelling import InATable
from supervisor.system.unread import Telling

ROWS = 300


def known_by_hand(times, key, delay):
    """The last row up to a trigger's that is as old as the delay there; None if there is none."""
    known = [row for row in range(key + 1) if times[row] + delay <= times[key]]
    return known[-1] if known else None


def fired(times, key):
    """A trigger at a row."""
    return Fired(id=TriggerId(0), key=key, timestamp_us=int(times[key]), reason="")


@pytest.mark.parametrize("delay", [1, 5, 60, 10_000])
@pytest.mark.parametrize("seed", range(6))
def test_what_a_trigger_knows_does_not_depend_on_batches(seed, delay):
    """At any row of a batch, and at the one before it; ties of event time are known together."""
    dice = np.random.default_rng(seed)
    times = np.cumsum(dice.integers(0, 4, ROWS))
    labelling, start = Delayed(delay), 0
    while start < ROWS:
        stop = min(start + int(dice.integers(1, 60)), ROWS)
        labelling.observe(start, times[start:stop], None)
        for key in sorted({max(start - 1, 0), *dice.integers(start, stop, 5).tolist()}):
            known, row = labelling.at(fired(times, key)), known_by_hand(times, key, delay)
            assert (known.key, known.event_time_us) == (row, None if row is None else times[row])
        settled = known_by_hand(times, stop - 1, delay)
        assert labelling.settled.key == (-1 if settled is None else settled)
        assert labelling.waiting == stop - 1 - labelling.settled.key
        start = stop


def test_a_trigger_at_rows_that_went_by_is_refused():
    """What was known there is forgotten, and to guess would be to leak."""
    labelling = Delayed(5)
    labelling.observe(0, np.arange(10), None)
    labelling.observe(10, np.arange(10, 20), None)
    assert labelling.at(fired(np.arange(20), 9)).key == 4
    with pytest.raises(RunFailedError, match="wants a trigger at key 8, behind which rows from key 10 on"):
        labelling.at(fired(np.arange(20), 8))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (pa.timestamp("us"), pa.timestamp("ms", "UTC")),
        (pa.timestamp("us", "Europe/Zurich"), pa.timestamp("ns", "America/New_York")),
        (pa.date32(), pa.timestamp("s")),
        (pa.bool_(), pa.int64()),
        (pa.int64(), pa.uint64()),
    ],
)
def test_rows_that_come_at_once_may_have_keys_of_several_types(
    small: Workplace, tmp_path: Path, first: pa.DataType, then: pa.DataType
) -> None:
    """Files write them in types that fit, but of which Arrow makes no column."""
    late, days = LateLabels(small), pa.array([1, 0, 1], pa.int32())
    keys = days.cast(pa.date32()).cast(pa.timestamp("s")) if pa.types.is_temporal(then) else days
    moments = pa.array([10, 20, 30], pa.timestamp("us"))
    for name, kind in (("a", first), ("b", then)):
        late.write(f"rows/{name}.parquet", {"timestamp": moments, "id": keys.cast(kind), "x": [0.5, 1.5, 2.5]})
    late.write("labels/a.parquet", {"id": keys.slice(0, 2), "label": [0, 1], "known_at": moments.slice(0, 2)})
    rows, files = late.rows(), LabelFiles(late.labels(), Telling())
    labelling = InATable(tmp_path / "index", rows.config, files, [LabelFind(2, 0)])
    labelling.observe(0, np.full(6, 30), rows)
    assert (labelling.waiting, labelling.at(fired(np.full(6, 30), 5)).key) == (0, 5)
