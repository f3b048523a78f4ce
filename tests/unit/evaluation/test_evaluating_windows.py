"""A model is scored on exactly the rows of the stretch and of the split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Metric, Split
from shared.messages import Stretch
from shared.split import rows_in_split, seeds_of_groups
from workers.evaluation.windows import evaluate, resolve

ACCURACY = [Metric(name="accuracy", label="accuracy", options={})]
BY_KEY = Split(test=0.25, validation=0.25, by=None)


class Stream:
    """Rows in memory: a customer, a timestamp."""

    def __init__(self, rows, timestamps_us=None):
        self.customers = [f"customer {key % 17}" for key in range(rows)]
        self.times = np.arange(rows) if timestamps_us is None else np.array(timestamps_us)

    def read(self, columns, first_key, stop_key):
        """A table of a range."""
        assert columns == ["customer"]
        return pa.table({"customer": self.customers[first_key:stop_key]})

    def timestamps_us(self, first_key, stop_key):
        """Timestamps of a range."""
        return self.times[first_key:stop_key]


class RightAboutMultiplesOfThree:
    """A model of two classes that always says 1; the label is 1 where 3 divides the key."""

    classes = 2

    def predict_batches(self, dataset, first_key, stop_key, batch_rows):
        """Pieces of a range."""
        for start in range(first_key, stop_key, batch_rows):
            keys = np.arange(start, min(start + batch_rows, stop_key))
            yield start, np.tile(np.float32([0.0, 1.0]), (len(keys), 1)), (keys % 3 == 0).astype(np.int64)


def score(stream, first_key, last_key, split, shares=BY_KEY):
    """The model's accuracy on a stretch."""
    rows = resolve(stretch(first_key, last_key), stream)
    (found,) = evaluate(RightAboutMultiplesOfThree(), rows, stream, ACCURACY, (split, shares))
    return found


def stretch(first_key, last_key, after_us=None, event_time_us=None):
    """Keys first..last."""
    return Stretch(
        window="w", slice="", first_key=first_key, last_key=last_key, after_us=after_us, event_time_us=event_time_us
    )


def test_without_a_split_all_rows_count():
    """Both ends of the stretch belong to it."""
    found = score(Stream(100), 9, 12, None)
    assert (found.n, found.value) == (4, 0.5)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_only_rows_of_the_split_count(split):
    """Over a range longer than what is read at once, the rows are those that the key alone puts in the split."""
    keys = np.arange(1_000, 300_000, dtype=np.uint64)
    chosen = keys[rows_in_split(keys, split, test=0.25, validation=0.25)]
    found = score(Stream(300_000), 1_000, 299_999, split)
    assert (found.n, found.value) == (len(chosen), np.mean(chosen % 3 == 0))


def test_split_by_column_keeps_groups_together():
    """With `by: customer`, a customer's rows are in the split or out of it."""
    stream = Stream(500)
    chosen = rows_in_split(seeds_of_groups(stream.customers), "test", test=0.4, validation=0.0)[100:]
    found = score(stream, 100, 499, "test", Split(test=0.4, validation=0.0, by="customer"))
    assert 0 < found.n == chosen.sum() < 400


def test_split_without_rows_is_undefined():
    """A window that holds no row of the split has no score."""
    found = score(Stream(50), 0, 49, "test", Split(test=0.0, validation=0.0, by=None))
    assert (found.value, found.n, found.error) == (None, 0, "no rows")


def test_event_times_never_fall():
    """The ends of a stretch are event times: late rows stand at the latest moment seen before them."""
    rows = resolve(stretch(1, 3, event_time_us=50), Stream(4, [50, 20, 60, 10]))
    assert (rows.first_timestamp_us, rows.last_timestamp_us) == (50, 60)


def test_last_window_begins_after_the_moment():
    """(event time − d, watermark]: the first row later than the moment begins it, and late rows behind belong to it."""
    rows = resolve(stretch(0, 4, after_us=30), Stream(5, [10, 30, 40, 20, 50]))
    assert (rows.first_key, rows.stop_key, rows.first_timestamp_us, rows.last_timestamp_us) == (2, 5, 40, 50)


def test_stretch_may_be_empty():
    """Nothing after the moment: no rows, no times, and no score."""
    rows = resolve(stretch(0, 2, after_us=99), Stream(3))
    assert (rows.first_key, rows.stop_key, rows.first_timestamp_us, rows.last_timestamp_us) == (3, 3, None, None)
    (found,) = evaluate(RightAboutMultiplesOfThree(), rows, Stream(3), ACCURACY, (None, BY_KEY))
    assert found.error == "no rows"
