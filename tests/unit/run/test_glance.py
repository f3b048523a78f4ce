"""What a glance at a journal says of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from run_of_events import run_started

from shared.ids import RunId, TriggerId
from supervisor.core.events import Ended, Event, NotRead, Observed, Resumed, StopAsked
from supervisor.core.seen import Fired, Unread, Violated
from supervisor.run.glance import Glance, Glances, glance

S = 1_000_000


def at(second: int, event: Event) -> Event:
    """The same, at this second."""
    return msgspec.structs.replace(event, time_us=second * S)


def seen(folder: Path, *events: Event) -> Glance:
    """Of a journal with these lines."""
    lines = [msgspec.json.encode(event) + b"\n" for event in events]
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    return glance(folder / "journal.jsonl")


def ended(second: int, status: Any = "stopped") -> Ended:
    """The end of a session."""
    return Ended(time_us=second * S, status=status, reason="stopped on request", workers_lost=0, reconnects=0)


STARTED = at(100, run_started(RunId("run"), mode="production"))
FIRED = Observed(
    time_us=110 * S,
    key=9,
    event_time_us=0,
    triggers=(Fired(id=TriggerId(0), key=9, timestamp_us=0, reason="10 rows"),),
)


def test_a_run_that_has_ended(tmp_path: Path) -> None:
    """When it began, how long it took, its triggers, and how it ended."""
    found = seen(tmp_path, STARTED, FIRED, ended(130, "finished"))
    assert (found.started_us, found.worked_us(), found.worked_us(999 * S)) == (100 * S, 30 * S, 30 * S)
    assert (found.triggers, found.status, found.mode, found.serves) == (1, "finished", "production", True)


def test_rows_that_are_held_wait_for_a_trigger_by_hand(tmp_path: Path) -> None:
    """Those that are skipped wait for nobody; the policy's own triggers release nothing."""
    wrong = (
        Violated(first_key=10, last_key=19, on_violation="hold", why=""),
        Violated(first_key=20, last_key=24, on_violation="skip", why=""),
    )
    violated = Observed(time_us=120 * S, key=24, event_time_us=0, violations=wrong)
    own, by_hand = (
        msgspec.structs.replace(FIRED, triggers=(msgspec.structs.replace(FIRED.triggers[0], request=request),))
        for request in (None, "a1")
    )
    assert seen(tmp_path, STARTED, violated, own).rows_held == 10
    assert seen(tmp_path, STARTED, violated, by_hand).rows_held == 0


def test_a_run_that_goes_on_lasts_until_now_and_one_that_was_killed_up_to_its_last_event(tmp_path: Path) -> None:
    """A line that is being written is not one yet."""
    (tmp_path / "journal.jsonl").touch()
    found = seen(tmp_path, STARTED, FIRED)
    assert (found.worked_us(150 * S), found.worked_us(), found.status) == (50 * S, 10 * S, "killed")
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event":"observed","time_us":200000000')
    assert glance(tmp_path / "journal.jsonl").worked_us() == 10 * S


def test_the_time_between_two_sessions_does_not_count(tmp_path: Path) -> None:
    """Whether the first was stopped or killed, and whether the second heard of something before it went on."""
    stop, resumed = StopAsked(time_us=119 * S, by="you"), Resumed(time_us=500 * S)
    first = [STARTED, FIRED, stop]
    found_first = NotRead(time_us=499 * S, unread=Unread())
    for between, worked_s in (([ended(120)], 25), ([], 24), ([ended(120), found_first], 26)):
        found = seen(tmp_path, *first, *between, resumed, at(505, FIRED))
        assert (found.worked_us(), found.status) == (worked_s * S, "killed")
        assert found.worked_us(510 * S) == (worked_s + 5) * S


def test_a_second_look_reads_on_where_the_first_ended(tmp_path: Path) -> None:
    """A line counts once, when it is whole: rows from the first key on, triggers and models."""
    journal = tmp_path / "journal.jsonl"
    started = msgspec.structs.replace(STARTED, first_key=5, stop_key=105)
    lines = [msgspec.json.encode(event) + b"\n" for event in (started, FIRED, at(115, FIRED), ended(130, "finished"))]
    model = b'{"event":"reported","time_us":112000000,"report":{"report":"gathered"}}\n'
    journal.write_bytes(lines[0] + lines[1][:30])
    looks = Glances(journal)
    assert (looks.look().rows, looks.look().stop_key, looks.look().models) == (0, 105, 0)
    journal.write_bytes(b"".join((*lines[:2], model, *lines[2:])))
    found = [looks.look(), looks.look()][1]
    assert (found.rows, found.triggers, found.models) == (5, 2, 1)
    assert found == glance(journal)
    assert (found.worked_us(), found.status) == (30 * S, "finished")


@pytest.mark.parametrize(
    "line",
    ['{"event":"run_started"}', '{"event":"ended","time_us":"x"}', '{"event":"observed","time_us":1,"triggers":5}'],
)
def test_what_is_no_event_is_told_as_such(tmp_path: Path, line: str) -> None:
    """Whoever lists runs has others to list."""
    (tmp_path / "journal.jsonl").write_text(f"{line}\n")
    with pytest.raises(ValueError, match="event|int"):
        glance(tmp_path / "journal.jsonl")
