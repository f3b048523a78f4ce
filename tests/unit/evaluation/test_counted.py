"""Where only some rows of a window count, what needs no model is scored on these, and learns from all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Metric, Split
from shared.messages.rescore import KeyRange, Mask
from shared.split import rows_in_split
from workers.evaluation.baselines import LabelHistory, score_baselines
from workers.evaluation.counted import Counted, in_all
from workers.evaluation.label_changes import DelayedChanges, KnownSoFar
from workers.evaluation.late_baselines import score_late_baselines
from workers.evaluation.usable_labels import BadRows, UsableLabels

ROWS, CLASSES, DELAY = 300, 3, 7
ACCURACY = [Metric(name="accuracy", label="accuracy", options={})]
TEST, THIRDS = Split(test=0.4, validation=0.0, by=None), Split(test=0.3, validation=0.3, by="group")
RANGES = [KeyRange(first_key=first, last_key=last) for first, last in ((40, 99), (130, 130), (200, 260))]
MASKS = [Mask(name="test", split=TEST), Mask(name="train", split=THIRDS), Mask(name=None, split=TEST)]


class Stream:
    """A row a microsecond, whose label has a tendency."""

    rows = ROWS

    def __init__(self, *, bad=(), missing=()):
        self.values = np.random.default_rng(3).choice(CLASSES, ROWS, p=[0.5, 0.3, 0.2]).astype(float)
        self.values[list(bad)], self.values[list(missing)] = 0.5, np.nan

    def labels(self, first_key, stop_key):
        """Labels of a range."""
        return self.values[first_key:stop_key]

    def timestamps_us(self, first_key, stop_key):
        """A row each microsecond."""
        return np.arange(first_key, stop_key)

    def latest_us(self, first_key, stop_key):
        """All of them can be right."""
        return np.full(stop_key - first_key, 2**60)

    def batches(self, columns, first_key, stop_key, batch_rows):
        """The column by which rows are split."""
        assert columns == ["group"]
        yield first_key, pa.table({"group": np.arange(first_key, stop_key) // 5})


def counts(key):
    """Whether a row is in a range and in all splits, by the definition."""
    in_a_range = any(one.first_key <= key <= one.last_key for one in RANGES)
    is_test = rows_in_split(np.array([key], np.uint64), "test", test=0.4, validation=0.0)[0]
    return in_a_range and is_test and in_all(Stream(), key, key + 1, [MASKS[1]])[0]


def by_hand(stream, delay):
    """Baseline → (accuracy, rows), row by row."""
    right = {"majority": [], "no_change": []}
    for key in filter(counts, range(ROWS)):
        known = [value for value in stream.values[: max(key - delay + 1, 0) if delay else key] if not np.isnan(value)]
        guesses = {"majority": np.argmax(np.bincount(np.array(known, int))), "no_change": known[-1]}
        for name, guess in guesses.items():
            right[name] += [guess == stream.values[key]] * (not np.isnan(stream.values[key]))
    return {name: (pytest.approx(np.mean(found)), len(found)) for name, found in right.items()}


def scored(stream, ranges=RANGES, masks=MASKS, rule=BadRows()):  # noqa: B008 - it cannot be changed
    """Both kinds of baselines, where labels come with their rows and after a delay."""
    counted = Counted(ranges, masks, stream)
    history = LabelHistory(key=0, counts=(0.0,) * CLASSES, last=0.0)
    at_once, _ = score_baselines(stream, counted, ACCURACY, history, rule)
    usable, so_far = UsableLabels(stream, rule, numbers=False), KnownSoFar(key=0, counts=(0.0,) * CLASSES)
    late, _ = score_late_baselines(DelayedChanges(stream, usable, DELAY, so_far), usable, counted, ACCURACY, so_far)
    return at_once, late


def told(scores):
    """Baseline → (value, rows)."""
    return {name: (one.value, one.n) for name, (one,) in scores.items()}


def test_rows_count_that_are_in_a_range_and_in_all_splits():
    """All rows are learned from: also those of other splits, and those between two ranges."""
    stream = Stream(missing=(45, 110, 220))
    at_once, late = scored(stream)
    assert told(at_once) == by_hand(stream, 0)
    assert told(late) == by_hand(stream, DELAY)
    assert 10 < at_once["majority"][0].n < 60


def test_a_bad_row_between_two_ranges_is_not_scored_and_one_in_a_range_costs_the_score():
    """As it does a model, which meets the rows of the ranges alone."""
    for of in scored(Stream(bad=(110,)), rule=BadRows(passed_over=True)):
        assert of["majority"][0].value is not None
    for of in scored(Stream(bad=(110, 230)), rule=BadRows(passed_over=True)):
        assert (of["no_change"][0].value, "The label at key 230 is 0.5" in of["no_change"][0].error) == (None, True)
