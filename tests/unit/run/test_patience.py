"""A run that is about to begin waits for workers that are at others' work, however long that takes."""

from __future__ import annotations

import pytest
from registry import worker_entry

from shared.ids import RunId, TaskId
from supervisor.run.start.patience import Patience, all_elsewhere

MINE, THEIRS = TaskId("mine/0/check/0"), TaskId("theirs/3/train/0")
BUSY = worker_entry("a", state="busy", task=THEIRS)


@pytest.mark.parametrize(
    ("workers", "elsewhere"),
    [
        ([BUSY], True),
        ([BUSY, worker_entry("b", state="benched")], True),
        ([BUSY, worker_entry("b")], False),
        ([BUSY, worker_entry("b", state="busy", task=MINE)], False),
        ([worker_entry("b", state="benched")], False),
        ([], False),
    ],
)
def test_nobody_could_begin_while_all_are_at_others_work(workers: list, elsewhere: bool) -> None:
    """A benched worker takes nothing, and none at all may mean that all were lost: neither is patience due to."""
    assert all_elsewhere(workers, RunId("mine")) is elsewhere


def test_only_time_in_which_somebody_could_have_begun_counts(caplog: pytest.LogCaptureFixture) -> None:
    """The rest is told of once a minute."""
    caplog.set_level("INFO")
    patience = Patience(0.0)
    patience.turn(10.0, elsewhere=0)
    for now_s in range(11, 200):
        patience.turn(float(now_s), elsewhere=2)
    patience.turn(205.0, elsewhere=0)
    assert patience.counted_s == 16.0
    waits = "all 2 train workers are busy with other runs; the check of the pipeline has waited"
    assert caplog.messages == [f"{waits} {seconds} s" for seconds in (50, 110, 170)]
