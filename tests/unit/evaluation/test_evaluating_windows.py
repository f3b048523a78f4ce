"""A model is scored on exactly the rows of the stretch and of the split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Metric, Split
from shared.errors import RowError, TrainingError
from shared.messages.rescore import Mask
from shared.messages.tasks import Stretch
from shared.split import rows_in_split, seeds_of_groups
from workers.evaluation.windows import Entrant, evaluate, resolve

ACCURACY = [Metric(name="accuracy", label="accuracy", options={})]
BY_KEY = Split(test=0.25, validation=0.25, by=None)


class Stream:
    """Rows in memory: a customer, a timestamp."""

    def __init__(self, rows, timestamps_us=None, latest_us=2**60):
        self.rows, self.latest = rows, latest_us
        self.read_rows = 0
        self.customers = [f"customer {key % 17}" for key in range(rows)]
        self.times = np.arange(rows) if timestamps_us is None else np.array(timestamps_us)

    def batches(self, columns, first_key, stop_key, batch_rows):
        """Pieces of a range; each row read is counted."""
        for start in range(first_key, stop_key, batch_rows):
            keys = np.arange(start, min(start + batch_rows, stop_key))
            self.read_rows += len(keys)
            customers = pa.array([self.customers[key] for key in keys])
            yield start, pa.table({name: customers if name == "customer" else keys for name in columns})

    def timestamps_us(self, first_key, stop_key):
        """Timestamps of a range."""
        return self.times[first_key:stop_key]

    def latest_us(self, first_key, stop_key):
        """The last moment at which rows of a range can be dated."""
        return np.full(stop_key - first_key, self.latest)


class Says:
    """A model of two classes that always says the same; the label is 1 where 3 divides the key."""

    classes, columns = 2, ("key",)

    def __init__(self, answer=1, encoding="keys"):
        self.answer, self.encoding = answer, encoding
        self.encoded = 0

    def encode(self, table, keys):
        """The keys, which is all there is."""
        self.encoded += len(keys)
        return keys

    def labels(self, table, name, keys):
        """Whether 3 divides the key."""
        assert table.column_names == ["key", name]
        return (keys % 3 == 0).astype(np.int64)

    def predict_encoded(self, encoded):
        """The same for each row, or an error."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return Told(np.tile(np.float32([1 - self.answer, self.answer]), (len(encoded), 1)))


class Estimates(Says):
    """A model of numbers."""

    classes = None


class Told:
    """What was predicted."""

    def __init__(self, outputs):
        self.outputs = outputs

    def read(self):
        """The outputs."""
        return self.outputs


def entrant(model, forgiven=()):
    """A model that is to be scored."""
    return Entrant(model, ACCURACY, "label", forgiven=forgiven)


def score(stream, first_key, last_key, split, shares=BY_KEY):
    """The model's accuracy on a stretch."""
    rows = resolve(stretch(first_key, last_key), stream)
    one = entrant(Says(1))
    evaluate([one], rows, stream, [Mask(name=split, split=shares)])
    (found,) = one.scores()
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


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"event_time_us": 10}, (0, 5, 10, 50)),
        ({"after_us": 30, "event_time_us": 10}, (3, 5, 40, 50)),
        ({}, (0, 5, 20, 50)),
        ({"after_us": 15}, (0, 5, 20, 50)),
        ({"after_us": 20}, (3, 5, 40, 50)),
        ({"after_us": 60}, (5, 5, None, None)),
    ],
)
def test_rows_dated_too_late_neither_begin_nor_end_a_stretch(asked, found):
    """They have the event time before them; at the start of the stream, that of the first row that can be right."""
    rows = resolve(stretch(0, 4, **asked), Stream(5, [10**9, 20, 10**9, 40, 50], latest_us=100))
    assert (rows.first_key, rows.stop_key, rows.first_timestamp_us, rows.last_timestamp_us) == found


def test_the_first_believable_row_may_come_behind_the_stretch():
    """Rows before it take its event time, also where their window ends before it."""
    rows = resolve(stretch(0, 1, after_us=30), Stream(4, [10**9, 10**9, 40, 50], latest_us=100))
    assert (rows.first_key, rows.stop_key, rows.first_timestamp_us, rows.last_timestamp_us) == (0, 2, 40, 40)


def test_stretch_may_be_empty():
    """Nothing after the moment: no rows, no times, and no score."""
    rows = resolve(stretch(0, 2, after_us=99), Stream(3))
    assert (rows.first_key, rows.stop_key, rows.first_timestamp_us, rows.last_timestamp_us) == (3, 3, None, None)
    one = entrant(Says(1))
    evaluate([one], rows, Stream(3), [Mask(name=None, split=BY_KEY)])
    assert one.scores()[0].error == "no rows"


def test_rows_are_read_and_encoded_once_for_all_models():
    """Each model's scores are those it has alone; models with other features of their own encode for themselves."""
    stream, rows = Stream(50_000), resolve(stretch(0, 49_999), Stream(50_000))
    models = [Says(1), Says(0), Says(1, "other")]
    entrants = [entrant(model) for model in models]
    evaluate(entrants, rows, stream, [Mask(name="test", split=BY_KEY)])
    assert stream.read_rows == 50_000
    assert [model.encoded for model in models] == [50_000, 0, 50_000]
    for model, together in zip(models, entrants, strict=True):
        alone = entrant(Says(model.answer))
        evaluate([alone], rows, Stream(50_000), [Mask(name="test", split=BY_KEY)])
        assert together.scores() == alone.scores()


class WithoutSomeLabels(Stream):
    """Rows of which every tenth has no label."""

    def batches(self, columns, first_key, stop_key, batch_rows):
        """As the stream's, with nulls."""
        for start, table in super().batches(columns, first_key, stop_key, batch_rows):
            labels = pa.array([key if key % 10 else None for key in range(start, start + table.num_rows)])
            yield start, table.set_column(table.column_names.index("label"), "label", labels)


def test_rows_without_a_label_are_not_scored():
    """Where they are dropped, the others count as they did: predictions stay beside their own labels."""
    rows = resolve(stretch(5, 99), Stream(100))
    one = Entrant(Says(1), ACCURACY, "label", drops=True)
    evaluate([one], rows, WithoutSomeLabels(100), [Mask(name="train", split=BY_KEY)])
    keys = np.arange(5, 100)
    kept = keys[rows_in_split(keys.astype(np.uint64), "train", test=0.25, validation=0.25) & (keys % 10 > 0)]
    (found,) = one.scores()
    assert (found.n, found.value) == (len(kept), np.mean(kept % 3 == 0))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TrainingError("it predicts NaN"), "it predicts NaN"),
        (RuntimeError("shapes do not fit"), "it raised RuntimeError: shapes do not fit (test_evaluating_windows.py:"),
    ],
)
def test_what_goes_wrong_with_one_model_is_forgiven_where_it_may_be(error, said):
    """A rival that cannot be scored says why, and the others are scored; a model of one's own ends the evaluation."""
    rows = resolve(stretch(0, 99), Stream(100))
    good, bad = entrant(Says(1)), entrant(Says(error), forgiven=(Exception,))
    evaluate([good, bad], rows, Stream(100), [Mask(name=None, split=BY_KEY)])
    assert good.scores()[0].n == 100
    assert bad.scores()[0].value is None
    assert bad.scores()[0].error.startswith(said)
    with pytest.raises(type(error), match=str(error)):
        evaluate([entrant(Says(error))], rows, Stream(100), [Mask(name=None, split=BY_KEY)])


def test_only_what_is_forgiven_is():
    """A bad row may cost a model its score where a model that raises ends the evaluation."""
    rows = resolve(stretch(0, 99), Stream(100))
    bad = entrant(Says(RowError("label is 7 at key 3")), forgiven=(RowError,))
    evaluate([bad], rows, Stream(100), [Mask(name=None, split=BY_KEY)])
    assert (bad.scores()[0].value, bad.scores()[0].error) == (None, "label is 7 at key 3")
    with pytest.raises(TrainingError, match="NaN"):
        evaluate(
            [entrant(Says(TrainingError("NaN")), forgiven=(RowError,))],
            rows,
            Stream(100),
            [Mask(name=None, split=BY_KEY)],
        )


@pytest.mark.parametrize("error", [MemoryError("no room"), RuntimeError("CUDA error: unspecified launch failure")])
def test_memory_and_devices_say_nothing_of_a_rival(error):
    """Where they fail, nothing is decided: the worker's failure is told."""
    rows = resolve(stretch(0, 99), Stream(100))
    with pytest.raises(type(error), match=str(error)):
        evaluate([entrant(Says(error), forgiven=(Exception,))], rows, Stream(100), [Mask(name=None, split=BY_KEY)])


@pytest.mark.parametrize("forgiven", [(Exception,), ()])
def test_a_model_of_numbers_has_no_scores_of_classes(forgiven):
    """Nor the other way round: it says why, is not asked to predict, and the others are scored."""
    rows = resolve(stretch(0, 99), Stream(100))
    good, other = entrant(Says(1)), entrant(Estimates(), forgiven=forgiven)
    evaluate([good, other], rows, Stream(100), [Mask(name=None, split=BY_KEY)])
    assert good.scores()[0].n == 100
    (score,) = other.scores()
    assert (score.value, score.error) == (None, "it predicts numbers, and accuracy measures classes")
    mse = Entrant(Says(1), [Metric(name="mse", label="mse", options={})], "label", forgiven=forgiven)
    evaluate([mse], rows, Stream(100), [Mask(name=None, split=BY_KEY)])
    assert mse.scores()[0].error == "it predicts classes, and mse measures numbers"
