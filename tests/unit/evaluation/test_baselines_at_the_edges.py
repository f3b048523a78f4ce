"""Baselines on labels nobody announced, at piece borders, and with nothing known."""

from __future__ import annotations

import numpy as np
import pytest

from shared.config.pipeline import Metric
from shared.errors import DataError
from shared.messages.rescore import KeyRange
from workers.evaluation.baselines import LabelHistory, score_baselines
from workers.evaluation.counted import Counted
from workers.evaluation.usable_labels import BadRows

NAN = float("nan")


class Labels:
    """A dataset of labels."""

    def __init__(self, *labels):
        self._labels = np.array(labels)

    def labels(self, first_key, stop_key):
        """Labels of a range."""
        return self._labels[first_key:stop_key]


def all_from(first_key, stop_key):
    """A window whose rows all count."""
    return Counted([KeyRange(first_key=first_key, last_key=stop_key - 1)])


def history(classes=2, key=0):
    """Nothing known of that many classes."""
    return LabelHistory(key=key, counts=(0.0,) * classes, last=0.0)


def scores(labels, first_key=0, before=None, name="accuracy"):
    """majority's and no_change's value, and the history after."""
    metrics = [Metric(name=name, label=name, options={})]
    found, after = score_baselines(
        labels, all_from(first_key, len(labels.labels(0, None))), metrics, before or history()
    )
    return found["majority"][0].value, found["no_change"][0].value, after


def test_before_the_first_row_all_classes_are_alike():
    """Nothing is known of the first row: probability 1 / classes, so the smallest class is guessed."""
    assert scores(Labels(1), name="log_loss")[:2] == pytest.approx((np.log(2), np.log(2)))
    assert scores(Labels(1))[:2] == (0.0, 0.0)


def test_majority_of_equals_is_the_smallest_class():
    """After one label of each class, the smaller is guessed."""
    assert scores(Labels(1, 0, 0), first_key=2)[0] == 1.0


def test_rows_before_the_window_are_known():
    """Labels between the history and the window count, and are not scored."""
    majority, no_change, after = scores(Labels(1, 1, 0, 1, 0), first_key=3)
    assert (majority, no_change) == (0.5, 0.0)
    assert after == LabelHistory(key=5, counts=(2.0, 3.0), last=0.0)


def test_new_class_is_learned():
    """A class beyond those known joins them; the first time it is missed, then it counts."""
    majority, no_change, after = scores(Labels(0, 4, 4, 4))
    assert (majority, no_change) == (0.5, 0.75)
    assert after.counts == (1.0, 0.0, 0.0, 0.0, 3.0)


@pytest.mark.parametrize("label", [-1, 0.5, 1e12])
def test_label_that_is_no_class_is_named(label):
    """A negative, fractional or huge label ends in a sentence with its key."""
    with pytest.raises(DataError, match="label at key 2 is"):
        scores(Labels(0, 1, label))


def test_whole_floats_are_classes():
    """A float column of 0.0 and 1.0 holds the classes 0 and 1."""
    assert scores(Labels(0.0, 1.0, 1.0)) == scores(Labels(0, 1, 1))


def test_many_classes_cost_rows_times_classes():
    """With 30,000 classes the rows are taken in small pieces, and pieces join without a seam."""
    labels = np.random.default_rng(0).integers(0, 5, 200)
    few = scores(Labels(*labels), before=history(5))
    many = scores(Labels(*labels), before=history(30_000))
    assert many[:2] == few[:2]
    assert many[2].counts[:5] == few[2].counts


def test_sums_of_numbers_do_not_depend_on_where_windows_end():
    """The running mean of two windows in a row is that of one, to the last bit."""
    labels = Labels(*np.random.default_rng(0).normal(size=1_000))
    metrics = [Metric(name="mse", label="mse", options={})]
    _, whole = score_baselines(labels, all_from(0, 1_000), metrics, history(1))
    _, half = score_baselines(labels, all_from(0, 333), metrics, history(1))
    assert score_baselines(labels, all_from(333, 1_000), metrics, half)[1] == whole


@pytest.mark.parametrize("numbers", [True, False])
def test_rows_without_a_label_are_not_there(numbers):
    """Scores and what is known of the labels are those of the other rows alone, wherever windows end."""
    labels = [NAN, 1, 1, NAN, 0, 1, NAN, NAN, 0, 1, NAN]
    metrics = [Metric(name="mse" if numbers else "log_loss", label="m", options={})]
    there = Labels(*(one for one in labels if one == one))  # noqa: PLR0124 - NaN is unlike itself
    before = history(1 if numbers else 2)
    alone, after = score_baselines(there, all_from(0, 6), metrics, before)
    found, whole = score_baselines(Labels(*labels), all_from(0, 11), metrics, before)
    assert found == alone
    assert (whole.counts, whole.last, whole.key, whole.dropped) == (after.counts, after.last, 11, 5)
    pieces = before
    for first, stop in ((0, 1), (1, 6), (6, 8), (8, 11)):
        found, pieces = score_baselines(Labels(*labels), all_from(first, stop), metrics, pieces)
        assert found["majority"][0].n == sum(one == one for one in labels[first:stop])  # noqa: PLR0124
    assert pieces == whole


def test_history_from_later_rows_is_refused():
    """A baseline never knows the labels it is to predict."""
    with pytest.raises(ValueError, match="beyond the first that counts, 1"):
        scores(Labels(0, 1, 0), first_key=1, before=history(key=2))


PASSED_OVER = BadRows(classes=3, passed_over=True)


@pytest.mark.parametrize("bad", [-1, 3, 1e12, 0.5, float("inf"), -float("inf")])
def test_a_bad_row_leaves_its_window_without_a_score_and_no_other(bad):
    """The history goes on over it as over a row without a label, within a window and between two."""
    metrics = [Metric(name="log_loss", label="log_loss", options={})]
    there = Labels(0.0, 1.0, 2.0, 1.0, 1.0, 0.0)
    labels = Labels(0.0, 1.0, bad, 2.0, bad, 1.0, 1.0, 0.0)
    found, after = score_baselines(labels, all_from(1, 4), metrics, history(3), PASSED_OVER)
    assert found["majority"] == found["no_change"]
    assert (found["majority"][0].value, found["majority"][0].n) == (None, 0)
    assert found["majority"][0].error.startswith(f"The label at key 2 is {bad}")
    found, after = score_baselines(labels, all_from(5, 8), metrics, after, PASSED_OVER)
    alone, whole = score_baselines(there, all_from(3, 6), metrics, history(3))
    assert found == alone
    assert (after.counts, after.last, after.key, after.dropped) == (whole.counts, whole.last, 8, 2)


@pytest.mark.parametrize("bad", [float("inf"), -float("inf"), 1e308])
def test_a_label_beyond_all_bounds_does_not_poison_the_mean(bad):
    """Of numbers too: the window with the row is undefined, and what comes behind is as if it were not there."""
    metrics = [Metric(name="mse", label="mse", options={})]
    found, after = score_baselines(Labels(1.0, bad, bad, 3.0, 5.0), all_from(0, 3), metrics, history(1), PASSED_OVER)
    assert [one[0].value for one in found.values()] == [None, None]
    found, after = score_baselines(Labels(1.0, bad, bad, 3.0, 5.0), all_from(3, 5), metrics, after, PASSED_OVER)
    assert [one[0].value for one in found.values()] == [pytest.approx((2**2 + 3**2) / 2), pytest.approx(4)]
    assert (after.counts, after.labels) == ((9.0,), 3)
    with pytest.raises(DataError, match="label at key 1 is"):
        score_baselines(Labels(1.0, bad), all_from(0, 2), metrics, history(1))
