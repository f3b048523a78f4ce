"""What all runs scored, and what of each window lies in it: against sets of rows, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.pipeline import Split
from shared.ids import TriggerId
from shared.messages.reports import MetricValue
from shared.messages.rescore import KeyRange, Mask, Rescored
from supervisor.compare.common_rows import common_rows
from supervisor.compare.measured import Measured, composites
from supervisor.compare.ranges import both, in_all, joined, keys_in
from supervisor.compare.scored_run import WHOSE, Window

SPLIT = Split(test=0.2, validation=0.1, by=None)
TEST = Mask(name="test", split=SPLIT)
RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda one: keys(one[0], one[0] + one[1])))


def keys(first, last):
    """The keys from one to another."""
    return KeyRange(first_key=first, last_key=last)


def rows_of(ranges):
    """Each key by itself."""
    return {key for one in ranges for key in range(one.first_key, one.last_key + 1)}


def value(number, n=1, metric="m", trigger=0):
    """A score."""
    of = {"trigger_id": TriggerId(trigger), "window": "next", "slice": "", "error": None if number else "undefined"}
    return MetricValue(**of, metric=metric, value=number, n=n, first_timestamp_us=n, last_timestamp_us=2 * n)


def window(index, first, last, **scores):
    """A window with a score of each of these, by whose it is, of the metric m."""
    found = {whose: {"m": value(scores.get(whose), last - first + 1, trigger=index)} for whose in WHOSE}
    return Window(trigger_id=TriggerId(index), keys=keys(first, last), scores=found, history=None)


@st.composite
def windows(draw):
    """Windows of one run: ascending, with holes where nothing was scored."""
    found, key = [], draw(st.integers(0, 10))
    for index in range(draw(st.integers(1, 6))):
        length = draw(st.integers(1, 9))
        if draw(st.integers(0, 3)):
            found.append(window(index, key, key + length - 1))
        key += length
    return found


@given(RANGES)
def test_joined_ranges_hold_the_same_rows(ranges):
    """They ascend and do not touch."""
    found = joined(ranges)
    assert rows_of(found) == rows_of(ranges)
    assert all(one.last_key + 1 < other.first_key for one, other in zip(found, found[1:], strict=False))
    assert keys_in(found) == len(rows_of(ranges))


@given(RANGES, RANGES, RANGES)
def test_what_lists_have_in_common_is_in_each(some, others, third):
    """As the sets of their rows."""
    assert rows_of(both(joined(some), joined(others))) == rows_of(some) & rows_of(others)
    assert rows_of(in_all([some, others, third])) == rows_of(some) & rows_of(others) & rows_of(third)


@given(st.lists(windows(), min_size=1, max_size=4))
def test_each_run_keeps_its_windows_cut_to_the_rows_that_all_scored(runs):
    """Row by row: a window that keeps all of its rows is not cut, and one that keeps none is gone."""
    wanted = set.intersection(*(rows_of(one.keys for one in own) for own in runs))
    found = common_rows(runs, [None] * len(runs))
    assert rows_of(found.ranges) == wanted
    for own, parts in zip(runs, found.parts, strict=True):
        left = {one.trigger_id: rows_of([one.keys]) & wanted for one in own}
        assert {part.window.trigger_id: rows_of(part.ranges) for part in parts} == {i: r for i, r in left.items() if r}
        assert all(part.cut == (left[part.window.trigger_id] != rows_of([part.window.keys])) for part in parts)


def test_a_window_may_fall_into_several_ranges():
    """Where another run has a hole in it; that run's own windows stay whole."""
    found = common_rows([[window(0, 0, 29)], [window(0, 0, 9), window(2, 20, 29)]], [None, None])
    (cut,), whole = found.parts
    assert (cut.ranges, cut.cut) == ((keys(0, 9), keys(20, 29)), True)
    assert [part.cut for part in whole] == [False, False]
    assert found.cut == [(0, cut)]


@pytest.mark.parametrize("mask", [None, TEST])
def test_windows_of_the_same_split_keep_their_scores(mask):
    """Their rows are the same: of the same split, or all."""
    found = common_rows([[window(0, 0, 9)], [window(0, 0, 9)]], [mask, mask])
    assert (found.cut, found.masks) == ([], () if mask is None else (mask,))


def test_where_splits_differ_every_window_is_scored_anew():
    """On the rows that are in the splits of all runs."""
    other = Mask(name="test", split=Split(test=0.3, validation=0.1, by=None))
    found = common_rows([[window(0, 0, 9)], [window(0, 0, 9)], [window(0, 0, 9)]], [None, TEST, other])
    assert (len(found.cut), found.masks) == (3, (TEST, other))


@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(-10, 10)), st.integers(1, 50)), min_size=1))
def test_a_window_counts_by_the_rows_that_are_left_of_it(found):
    """The mean over single rows; windows without a value are left out, for baselines too, and counted."""
    own = [
        Measured(TriggerId(i), n, None, None, {whose: {"m": value(score, n)} for whose in WHOSE})
        for i, (score, n) in enumerate(found)
    ]
    rows = [score for score, n in found for _ in range(n) if score is not None]
    for whose, of in composites(own, "m").items():
        assert of.value == (pytest.approx(sum(rows) / len(rows), abs=1e-9) if rows else None), whose
    assert composites(own, "m")["pipeline"].undefined_windows == sum(score is None for score, _ in found)


def test_a_window_is_as_journaled_or_as_it_was_scored_anew():
    """Own, first model and baselines; rows and times are those of the scores."""
    journaled = Measured.as_journaled(window(3, 0, 9, pipeline=0.5, first_model=0.4, majority=0.3, no_change=0.2))
    names = {"model 3": 0.5, "model 1": 0.4, "majority": 0.3, "no_change": 0.2}
    scores = {name: (value(number, 10, trigger=3),) for name, number in names.items()}
    anew = Measured.anew(Rescored(run=0, trigger_id=TriggerId(3), scores=scores), TriggerId(1))
    assert anew == journaled
    assert (anew.n, anew.first_us, anew.last_us, anew.value("m")) == (10, 10, 20, 0.5)
    assert [anew.scores[whose]["m"].value for whose in WHOSE] == [0.5, 0.4, 0.3, 0.2]
