"""Baselines guess from the labels that were known at each row's event time, and from no others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from shared.config.pipeline import Metric
from shared.dataset.event_time import NEVER_US
from shared.messages.rescore import KeyRange
from workers.evaluation.counted import Counted
from workers.evaluation.label_changes import DelayedChanges, KnownSoFar
from workers.evaluation.late_baselines import score_late_baselines, with_classes
from workers.evaluation.usable_labels import BadRows, UsableLabels

ROWS, CLASSES = 400, 3
ACCURACY = Metric(name="accuracy", label="accuracy", options={})
LOG_LOSS = Metric(name="log_loss", label="log_loss", options={})
MAE = Metric(name="mae", label="mae", options={})


class Stream:
    """Rows with times, late ones and ties among them, and labels of which some are not there."""

    def __init__(self, seed, *, numbers):
        dice = np.random.default_rng(seed)
        self.rows = ROWS
        self.times = np.cumsum(dice.integers(0, 3, ROWS)) - dice.integers(0, 2, ROWS) * dice.integers(0, 30, ROWS)
        self.event_times = np.maximum.accumulate(self.times)
        values = dice.normal(size=ROWS) if numbers else dice.integers(0, CLASSES, ROWS).astype(float)
        self.values = np.where(dice.random(ROWS) < 0.1, np.nan, values)

    def timestamps_us(self, first_key, stop_key):
        """As a dataset has them."""
        return self.times[first_key:stop_key]

    def latest_us(self, first_key, stop_key):
        """No row is dated too late."""
        return np.full(stop_key - first_key, -NEVER_US - 1)

    def labels(self, first_key, stop_key):
        """As a dataset has them."""
        return self.values[first_key:stop_key]

    def known(self, key, delay):
        """The labels that a row knows, by the definition."""
        rows = [row for row in range(key) if self.event_times[row] + delay <= self.event_times[key]]
        return [self.values[row] for row in rows if not np.isnan(self.values[row])]


def scored(stream, metric, delay, borders, *, numbers):
    """The scores of windows that follow each other."""
    usable = UsableLabels(stream, BadRows(), numbers=numbers)
    so_far, found = KnownSoFar(key=0, counts=(0.0,) * (1 if numbers else CLASSES)), []
    for window in pairwise(borders):
        so_far = so_far if numbers else with_classes(so_far, usable, window[1])
        source = DelayedChanges(stream, usable, delay, so_far)
        counted = Counted([KeyRange(first_key=window[0], last_key=window[1] - 1)])
        scores, so_far = score_late_baselines(source, usable, counted, [metric], so_far)
        found.append([(name, one.value, one.n) for name, (one,) in scores.items()])
    return found


def as_defined(stream, delay, window, loss):
    """Baseline → the mean of `loss(known, label)`, its losses of both, over the labelled rows of a window."""
    keys = [key for key in range(*window) if not np.isnan(stream.values[key])]
    losses = [loss(stream.known(key, delay), stream.values[key]) for key in keys]
    names = ("majority", "no_change")
    return {name: np.mean([one[place] for one in losses]) if losses else None for place, name in enumerate(names)}, len(
        keys
    )


def log_losses(known, label):
    """Of the frequencies that were known, and of the last label that was; every class alike where none was."""
    share = known.count(label) / len(known) if known else 1 / CLASSES
    certain = float(known[-1] == label) if known else 1 / CLASSES
    return [-np.log(np.clip(one, 1e-7, 1 - 1e-7)) for one in (share, certain)]


def absolute_errors(known, label):
    """Of the mean of what was known, and of the last of it; 0 where nothing was."""
    return [abs(label - (guess if known else 0)) for guess in (np.mean(known or [0]), (known or [0])[-1])]


@pytest.mark.parametrize(("metric", "loss", "numbers"), [(LOG_LOSS, log_losses, False), (MAE, absolute_errors, True)])
@pytest.mark.parametrize("delay", [1, 7, 40, 5_000])
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_guessed_from_what_is_known(seed, delay, metric, loss, numbers):
    """Classes and numbers, in windows that follow each other."""
    stream, borders = Stream(seed, numbers=numbers), [0 if numbers else 30, 90, 91, 200, 400]
    found = scored(stream, metric, delay, borders, numbers=numbers)
    for window, scores in zip(pairwise(borders), found, strict=True):
        expected, rows = as_defined(stream, delay, window, loss)
        assert [n for *_, n in scores] == [rows, rows]
        for name, value, _ in scores:
            assert value == pytest.approx(expected[name], rel=1e-5)


def test_windows_do_not_matter():
    """What is known goes from window to window: one window scores as its halves do."""
    stream = Stream(9, numbers=False)
    (whole,) = scored(stream, ACCURACY, 25, [50, 400], numbers=False)
    halves = scored(stream, ACCURACY, 25, [50, 173, 400], numbers=False)
    for number, (name, value, rows) in enumerate(whole):
        parts = [half[number] for half in halves]
        assert (name, rows) == (parts[0][0], sum(part[2] for part in parts))
        assert value == pytest.approx(sum(part[1] * part[2] for part in parts) / rows)
