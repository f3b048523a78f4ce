"""A feed breaks in many ways, and `expect: usual` sets off no training on any of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from guarded_feed import MINUTE_US, ROWS, Feed, changed, feed

from shared.config.system import Nulls
from shared.errors import DataError

SOUND = [feed(number) for number in range(3)]
dice = np.random.default_rng(7)


def column(name, number=3):
    """Of the fourth file."""
    return feed(number).column(name).to_numpy()


def text(change):
    """Carriers, changed."""
    return [change(one) for one in feed(3).column("carrier").to_pylist()]


def at(times):
    """The fourth file at other times."""
    return changed(feed(3), "time", np.asarray(times, np.int64))


AFTER = 3 * ROWS * MINUTE_US
BROKEN = {
    "a column of nulls": (changed(feed(3), "seats", pa.nulls(ROWS, pa.int64())), "`seats` is null in 100 %"),
    "a third is NaN": (changed(feed(3), "amount", np.where(np.arange(ROWS) % 3, column("amount"), np.nan)), "33.4 %"),
    "a column times 1,000": (changed(feed(3), "amount", column("amount") * 1000), "`amount` is beyond "),
    "a column by 1,000": (changed(feed(3), "temperature", column("temperature") / 1000), "`temperature` are about"),
    "shuffled labels": (changed(feed(3), "late", dice.permutation(column("late"))), "no feature tells of label"),
    "a tenth of the rows": (at(AFTER + np.arange(ROWS) * 10 * MINUTE_US), "500 rows in 3.4"),
    "the same in fewer rows": (at(AFTER + np.arange(ROWS) * 10 * MINUTE_US).slice(0, 50), "50 rows in 8.1"),
    "ten times the rows": (pa.concat_tables([feed(3)] * 10).sort_by("time"), "5,000 rows in 8.3"),
    "a new category": (changed(feed(3), "carrier", ["ZZ"] * ROWS), "in 100 % of 500 rows that are not usual ('ZZ')"),
    "new categories": (
        changed(feed(3), "carrier", text(lambda one: one + "-")),
        "100 % of 500 rows that are not usual",
    ),
    "a case that changed": (changed(feed(3), "carrier", text(str.lower)), "100 % of 500 rows that are not usual"),
    "a constant column": (changed(feed(3), "temperature", np.full(ROWS, 15.0)), "`temperature` is 15.0 in all of"),
    "one class": (changed(feed(3), "late", np.ones(ROWS, int)), "label `late` is 1 in 100 %"),
    "times that stand still": (at(np.full(ROWS, AFTER - MINUTE_US)), "event time stands still"),
    "times of the future": (at(AFTER + np.arange(ROWS) * MINUTE_US * 1000), "500 rows in 347 d"),
    "negative numbers": (
        changed(feed(3), "seats", -column("seats")),
        "`seats` is below 0 in 100 % of 500 rows; it never was",
    ),
    "negative fractions": (changed(feed(3), "amount", -column("amount")), "`amount` is below 0 in 100 % of 500 rows"),
    "some that are out of range": (
        changed(feed(3), "seats", np.where(np.arange(ROWS) % 5, column("seats"), 999)),
        "`seats` is beyond -23 to 32 in 20 %",
    ),
    "columns swapped": (
        changed(changed(feed(3), "seats", np.rint(column("amount")).astype(int)), "amount", column("seats")),
        "`seats` is beyond -23 to 32 in ",
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_feed_is_held(tmp_path, way):
    """Whatever is wrong with the fourth file, the three before set off trainings, and so does the one behind it."""
    broken, told = BROKEN[way]
    last_us = broken.column("time").to_numpy().max()
    behind = changed(feed(4), "time", last_us + (1 + np.arange(ROWS)) * MINUTE_US)
    *sound, violation, last = Feed(tmp_path, *SOUND, broken, behind).run()
    first = 3 * ROWS
    assert [one.key for one in sound] == [ROWS - 1, 2 * ROWS - 1, first - 1]
    assert (violation.first_key, violation.last_key) == (first, first + len(broken) - 1)
    assert violation.on_violation == "hold"
    assert told in violation.why
    assert last.key == first + len(broken) + ROWS - 1


@pytest.mark.parametrize(("expect", "told"), [("usual", False), ({"usual": ["relation"]}, True)])
def test_labels_of_one_class_are_told_once(tmp_path, expect, told):
    """That no feature tells of them follows; where only this is looked at, it is told."""
    *_, violation = Feed(tmp_path, *SOUND, BROKEN["one class"][0]).run(expect)
    assert ("no feature tells" in violation.why) is told


def drifted(number):
    """Warmer, and what was late is in time: a model must learn that."""
    warmer = changed(feed(number), "temperature", feed(number).column("temperature").to_numpy() + 8)
    return changed(warmer, "late", 1 - feed(number).column("late").to_numpy())


SOUND_CHANGES = {
    "none": [feed(number) for number in range(3, 9)],
    "drift, of features and of what they mean": [drifted(3), drifted(4)],
    "a column that follows the calendar": [
        feed(number)
        .append_column("month", pa.array([f"month {number}"] * ROWS))
        .append_column("day", pa.array([number + 1] * ROWS))
        for number in range(6)
    ],
    "names that are new each time": [
        feed(number).append_column("name", pa.array([f"{number} {row}" for row in range(ROWS)])) for number in range(6)
    ],
    "a number that grows": [
        feed(number).append_column("id", pa.array(number * ROWS + np.arange(ROWS))) for number in range(6)
    ],
}


@pytest.mark.parametrize("way", SOUND_CHANGES)
def test_a_sound_feed_is_trained_on(tmp_path, way):
    """Drift is what retraining is for, and no reason to hold rows; nor is what changes all the time."""
    files = SOUND_CHANGES[way]
    before = SOUND if set(files[0].column_names) == set(SOUND[0].column_names) else []
    found = Feed(tmp_path, *before, *files).run()
    assert [one.why for one in found if hasattr(one, "why")] == []
    assert len(found) == len(before) + len(files)


GIVEN = {
    "too few rows": ({"rows": {"least": 600}}, "500 rows came, at least 600 are expected"),
    "too many rows": ({"rows": {"most": 400}}, "500 rows came, at most 400 are expected"),
    "nulls anywhere": ({"nulls": {"most": 0.05}}, "`amount` is null in 10 % of 500 rows, at most 5 % are expected"),
    "nulls in a column": ({"nulls": {"columns": {"amount": 0}}}, "`amount` is null in 10 %"),
    "a range": ({"ranges": {"columns": {"seats": [None, 6]}, "outside": 0.1}}, "`seats` is above 6 in 2"),
    "a range of labels": ({"ranges": {"columns": {"late": [1, None]}, "outside": 0.1}}, "`late` is below 1 in 5"),
    "categories": ({"categories": {"columns": {"carrier": ["AA", "BA"]}}}, "that are not expected ('UA')"),
    "shares of classes": ({"labels": {"shares": {0: [0.7, 1]}}}, "label `late` is 0 in 5"),
}


@pytest.mark.parametrize("way", GIVEN)
def test_given_numbers_hold_from_the_first_rows_on(tmp_path, way):
    """Nothing is usual yet; and where they do not hold, nothing becomes so."""
    first = changed(feed(0), "amount", np.where(np.arange(ROWS) % 10, feed(0)["amount"].to_numpy(), np.nan))
    expect, told = GIVEN[way]
    (found,) = Feed(tmp_path, first).run(expect | {"on_violation": "skip"})
    assert told in found.why
    assert (found.first_key, found.last_key, found.on_violation) == (0, ROWS - 1, "skip")


def test_a_share_that_is_given_holds_among_any_number_of_classes(tmp_path):
    """Also where whole numbers are so many that nothing else takes them for classes."""
    first = changed(feed(0), "late", np.arange(ROWS) % 150)
    (found,) = Feed(tmp_path, first).run({"labels": {"shares": {7: [0.5, 1]}}, "on_violation": "skip"})
    assert "label `late` is 7 in 0.8 % of 500 rows, 50 % to 100 % are expected" in found.why


def test_given_numbers_replace_what_is_usual(tmp_path):
    """Whoever says between which numbers a column lies knows better than the rows before."""
    large = changed(feed(3), "amount", column("amount") * 1000)
    expect = {"ranges": {"columns": {"amount": [0, None]}}}
    assert len(Feed(tmp_path, *SOUND, large).run(expect)) == 4


@pytest.mark.parametrize("expect", [{"usual": ["rows", "labels"]}, {"ignore": ["seats"]}])
def test_what_is_not_compared_may_be_anything(tmp_path, expect):
    """A kind of comparison, or a column."""
    assert len(Feed(tmp_path, *SOUND, BROKEN["a column of nulls"][0]).run(expect)) == 4


def test_a_null_that_would_end_the_run_is_held(tmp_path):
    """`nulls: {features: refuse}` says that no training can have one; here it is only looked at."""
    files = [*SOUND, BROKEN["a third is NaN"][0]]
    *_, found = Feed(tmp_path, *files, nulls=Nulls(features="refuse", labels="refuse")).run()
    assert "`amount` is null in 33.4 %" in found.why


def test_all_that_existed_is_usual(tmp_path):
    """After `train_on_everything` the first rows that follow are compared with it."""
    found = Feed(tmp_path, *SOUND, BROKEN["columns swapped"][0]).run(trained_key=3 * ROWS - 1)
    assert [one.first_key for one in found] == [3 * ROWS]


def test_labels_that_are_not_known_yet_are_not_looked_at(tmp_path):
    """Rows of one class, of which 100 are known after 400 minutes: their share is judged by these."""
    late = np.where(np.arange(ROWS) < 100, column("late"), 1)
    files = [*SOUND, changed(feed(3), "late", late)]
    found = Feed(tmp_path, *files).run(delay_us=400 * MINUTE_US)
    assert len(found) == 4


def test_a_column_that_is_not_there_is_named(tmp_path):
    """With the key of pipeline.yaml, and what there is."""
    with pytest.raises(DataError, match=r"trigger.expect.nulls.columns names amuont, .* did you mean amount"):
        Feed(tmp_path, *SOUND).run({"nulls": {"columns": {"amuont": 0.1}}})
