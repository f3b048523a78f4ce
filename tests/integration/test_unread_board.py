"""What a run shows in Redis of files that it does not read: there while the run lives, and no longer."""

from __future__ import annotations

from typing import cast

import pytest
import redis
from run_of_events import RUN, Run
from workplace import Workplace

from shared import names
from shared.broker import connect
from shared.ids import RunId
from supervisor.core.notices import RunEnded
from supervisor.core.seen import Unread
from supervisor.run.listen.unread_board import Posted, UnreadBoard, read_boards

UNREAD = Unread(unreadable={"b.csv": "b.csv is bad"}, more=2)


@pytest.fixture
def run(small: Workplace) -> Run:
    """A run with files that it does not read."""
    one = Run(small)
    one.state = one.state.but(unread=UNREAD)
    return one


def test_files_are_shown_while_they_are_not_read(run: Run, client: redis.Redis) -> None:
    """And for a minute at most after the supervisor was killed, which cannot take them away."""
    board = UnreadBoard(client, RUN, "rows")
    board.turn(run.state, 10)
    assert read_boards(client) == [Posted(run_id=RUN, dataset="rows", unread=UNREAD)]
    assert 0 < cast(int, client.pttl(names.unread_key(RUN))) <= names.UNREAD_TTL_MS
    client.delete(names.unread_key(RUN))  # as its end of life does
    assert read_boards(client) == []
    assert client.scard(names.UNREAD_KEY) == 0


def test_what_another_version_shows_is_left_out(run: Run, client: redis.Redis) -> None:
    """Whoever asks for the fleet gets an answer all the same."""
    UnreadBoard(client, RUN, "rows").turn(run.state, 10)
    other = RunId("of-another-version")
    client.sadd(names.UNREAD_KEY, other)
    client.set(names.unread_key(other), '{"run_id": "x"}')
    assert [one.run_id for one in read_boards(client)] == [RUN]


def test_what_is_read_now_is_shown_no_more(run: Run, client: redis.Redis) -> None:
    """Nor what a run did not read that has ended."""
    board = UnreadBoard(client, RUN, "rows")
    board.turn(run.state, 10)
    board.turn(run.state.but(unread=Unread()), 10)
    assert (read_boards(client), client.keys("*")) == ([], [])
    board.turn(run.state, 10)
    board.hear(RunEnded(status="stopped", reason="", workers_lost=0, reconnects=0))
    assert (read_boards(client), client.keys("*")) == ([], [])


def test_a_broker_that_is_away_holds_nobody_up(run: Run, small: Workplace) -> None:
    """It is shown when it is back."""
    UnreadBoard(connect(f"redis+socket://{small.folder}/none.sock"), RUN, "rows").turn(run.state, 10)
