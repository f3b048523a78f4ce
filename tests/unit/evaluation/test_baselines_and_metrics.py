"""Scores and baselines agree with loops over the rows, and what is undefined is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.pipeline import Metric, Split
from shared.messages.rescore import KeyRange
from shared.messages.tasks import Stretch
from workers.evaluation.baselines import LabelHistory, score_baselines
from workers.evaluation.counted import Counted, split_mask
from workers.evaluation.metrics import Meter
from workers.evaluation.windows import resolve


class Rows:
    """A dataset of labels and timestamps in memory."""

    def __init__(self, labels=(), timestamps_us=()):
        self._labels, self._timestamps_us = np.array(labels), np.array(timestamps_us, np.int64)
        self.rows = len(self._timestamps_us)

    def labels(self, first_key, stop_key):
        """Labels of a range."""
        return self._labels[first_key:stop_key]

    def timestamps_us(self, first_key, stop_key):
        """Timestamps of a range."""
        return self._timestamps_us[first_key:stop_key]

    def latest_us(self, first_key, stop_key):
        """All of them can be right."""
        return np.full(stop_key - first_key, 2**60)


def all_from(first_key, stop_key):
    """A window whose rows all count."""
    return Counted([KeyRange(first_key=first_key, last_key=stop_key - 1)])


def metric(name, **options):
    """A metric as the configuration gives it."""
    return Metric(name=name, label=name, options=options)


def values(scores):
    """Values by label."""
    return {score.metric: score.value for score in scores}


def score_by_hand(probabilities, labels):
    """Accuracy and log loss, row by row."""
    right = sum(int(np.argmax(row)) == label for row, label in zip(probabilities, labels, strict=True))
    loss = sum(
        -math.log(min(max(row[label], 1e-7), 1 - 1e-7)) for row, label in zip(probabilities, labels, strict=True)
    )
    return {"accuracy": pytest.approx(right / len(labels)), "log_loss": pytest.approx(loss / len(labels))}


@given(labels=st.lists(st.integers(0, 2), min_size=1, max_size=30), data=st.data())
def test_class_baselines_agree_with_a_loop(labels, data):
    """Majority predicts the frequencies before each row, no_change the label before it."""
    first = data.draw(st.integers(0, len(labels) - 1))
    majority, no_change = [], []
    for row in range(first, len(labels)):
        before = labels[:row]
        majority.append([before.count(c) / row if row else 1 / 3 for c in range(3)])
        no_change.append([float(before[-1] == c) if row else 1 / 3 for c in range(3)])
    metrics = [metric("accuracy"), metric("log_loss")]
    start = LabelHistory(key=0, counts=(0.0, 0.0, 0.0), last=0.0)
    scores, _ = score_baselines(Rows(labels), all_from(first, len(labels)), metrics, start)
    assert values(scores["majority"]) == score_by_hand(majority, labels[first:])
    assert values(scores["no_change"]) == score_by_hand(no_change, labels[first:])


@given(labels=st.lists(st.floats(-100, 100), min_size=1, max_size=30), data=st.data())
def test_number_baselines_agree_with_a_loop(labels, data):
    """For numbers: the mean of all labels before, and the label before; 0 before the first row."""
    first = data.draw(st.integers(0, len(labels) - 1))
    rows = range(first, len(labels))
    mean = [sum(labels[:row]) / row if row else 0.0 for row in rows]
    last = [labels[row - 1] if row else 0.0 for row in rows]
    start = LabelHistory(key=0, counts=(0.0,), last=0.0)
    scores, _ = score_baselines(Rows(labels), all_from(first, len(labels)), [metric("mse"), metric("mae")], start)
    for name, predicted in (("majority", mean), ("no_change", last)):
        errors = [guess - label for guess, label in zip(predicted, labels[first:], strict=True)]
        assert values(scores[name]) == {
            "mse": pytest.approx(sum(e * e for e in errors) / len(errors), abs=1e-9),
            "mae": pytest.approx(sum(map(abs, errors)) / len(errors), abs=1e-9),
        }


@given(labels=st.lists(st.integers(0, 1), min_size=2, max_size=30), data=st.data())
def test_history_goes_on_where_it_stopped(labels, data):
    """Two stretches one after the other give the second the scores it has from a fresh start."""
    cut = data.draw(st.integers(1, len(labels) - 1))
    start = LabelHistory(key=0, counts=(0.0, 0.0), last=0.0)
    metrics = [metric("log_loss")]
    _, history = score_baselines(Rows(labels), all_from(0, cut), metrics, start)
    assert history == LabelHistory(
        key=cut, counts=(float(labels[:cut].count(0)), float(labels[:cut].count(1))), last=float(labels[cut - 1])
    )
    continued = score_baselines(Rows(labels), all_from(cut, len(labels)), metrics, history)
    assert continued == score_baselines(Rows(labels), all_from(cut, len(labels)), metrics, start)


def scores_of(metrics, outputs, labels, cut=0):
    """Scores of outputs given in two pieces."""
    outputs = np.array(outputs, np.float32)
    meter = Meter(metrics, outputs.shape[1] if outputs.ndim == 2 else None)
    for piece in (slice(None, cut), slice(cut, None)):
        meter.update(outputs[piece], np.array(labels)[piece])
    return meter.scores()


@given(
    rows=st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=1, max_size=25),
    cut=st.integers(0, 25),
)
def test_auroc_is_the_share_of_pairs_in_order(rows, cut):
    """AUROC is the share of (positive, negative) pairs that the score orders, ties half; one class has none."""
    labels = [label for _, label in rows]
    pairs = [(p > n) + (p == n) / 2 for p, one in rows for n, zero in rows if one == 1 and zero == 0]
    outputs = [[np.float32(1) - np.float32(p), p] for p, _ in rows]
    (score,) = scores_of([metric("auroc")], outputs, labels, min(cut, len(rows)))
    if pairs:
        assert score.value == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)
    else:
        assert (score.value, score.error) == (None, "one class only")
    assert score.n == len(rows)


def test_auroc_leaves_out_classes_that_do_not_occur():
    """With classes 0 and 2 only, AUROC is the mean of those two."""
    outputs = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.5, 0.2]]
    (score,) = scores_of([metric("auroc")], outputs, [0, 2, 0])
    assert score.value == pytest.approx(1.0)


def test_accuracy_counts_rows_and_not_classes():
    """Accuracy is the share of rows, top-k the share whose label is among the k likeliest."""
    outputs = [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.15, 0.05]]
    found = values(scores_of([metric("accuracy"), metric("top_k", k=2)], outputs, [0, 0, 1, 2], cut=2))
    assert found == {"accuracy": pytest.approx(0.5), "top_k": pytest.approx(0.75)}


def test_f1_averages_over_classes():
    """Macro F1 is the plain mean of the classes' F1."""
    outputs = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]
    found = values(scores_of([metric("f1", average="macro")], outputs, [0, 0, 1, 1]))
    assert found == {"f1": pytest.approx((4 / 5 + 2 / 3) / 2)}


def test_top_k_beyond_the_classes_is_undefined():
    """top-5 of a model with two classes is no number, and says so."""
    (score,) = scores_of([metric("top_k", k=5)], [[0.5, 0.5]], [0])
    assert (score.value, score.error) == (None, "the model has only 2 classes")


def test_no_rows_is_undefined():
    """A window without rows has no score."""
    (score,) = Meter([metric("accuracy")], 2).scores()
    assert (score.value, score.n, score.error) == (None, 0, "no rows")


@given(
    times=st.lists(st.integers(0, 40), min_size=2, max_size=30),
    after=st.none() | st.integers(-5, 45),
    data=st.data(),
)
def test_stretch_begins_after_its_moment(times, after, data):
    """The rows of a stretch start at the first one later than `after_us`; its ends are told in event time."""
    first = data.draw(st.integers(0, len(times) - 1))
    before = max(times[:first], default=None)
    # What the supervisor asks for: a moment that event time had not passed before the stretch.
    if after is not None and before is not None:
        after = max(after, before)
    keys = [key for key in range(first, len(times)) if after is None or max(times[: key + 1]) > after]
    stretch = Stretch(
        window="w", slice="", first_key=first, last_key=len(times) - 1, after_us=after, event_time_us=before
    )
    rows = resolve(stretch, Rows(timestamps_us=times))
    assert list(range(rows.first_key, rows.stop_key)) == keys
    ends = (max(times[: keys[0] + 1]), max(times)) if keys else (None, None)
    assert (rows.first_timestamp_us, rows.last_timestamp_us) == ends


def test_windows_may_take_one_split_only():
    """The splits of a stretch share out its rows; without a split all rows count."""
    split = Split(test=0.3, validation=0.2, by=None)
    masks = [split_mask(Rows(), 5, 105, name, split) for name in ("train", "validation", "test")]
    assert np.sum(masks, axis=0).tolist() == [1] * 100
    assert split_mask(Rows(), 5, 105, None, split).tolist() == [True] * 100
