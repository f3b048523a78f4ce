"""When a run looks for new files by itself."""

from __future__ import annotations

from shared.config.system import Notification
from supervisor.run.observe.looks import Looks


def test_without_announcements_it_looks_every_so_often() -> None:
    """At once, then again when the time between two looks is over, from the beginning of a look on."""
    now_s = 100.0
    looks = Looks(Notification(mode="pull", every_s=5.0), None, lambda: now_s)
    assert looks.are_due
    with looks.one():
        now_s += 2
    assert not looks.are_due
    now_s += 3
    assert looks.are_due


def test_the_end_of_a_last_line_is_not_waited_for_as_long_as_a_poll_is_away() -> None:
    """With push a poll may be hours away: whoever waits otherwise looks every 5 s, or more often if polls do."""
    waits = {every: Notification(mode="push", every_s=every).waits_s for every in (3600.0, 0.1)}
    assert waits == {3600.0: 5.0, 0.1: 0.1}
    assert Notification(mode="pull", every_s=3600.0).waits_s == 3600.0
    assert Looks(Notification(mode="push", every_s=3600.0), None).rest.at_rest_s == 5.0


def test_time_without_rows_is_told_where_polls_are_rare() -> None:
    """A policy that waits for no row for longer than a while is asked as often as with pull."""
    now_s = 100.0
    looks = Looks(Notification(mode="push", every_s=3600.0), None, lambda: now_s)
    assert [looks.quiet_is_due(), looks.quiet_is_due()] == [True, False]
    now_s += 5
    assert looks.quiet_is_due()
