"""journal.jsonl: what was appended is there, whatever was torn off is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import RunFailedError
from supervisor.core.events import AnyEvent, StopAsked, StreamEnded
from supervisor.run.journal import Journal

EVENTS: list[AnyEvent] = [StopAsked(time_us=1, by="a"), StreamEnded(time_us=2, key=7)]


def test_events_come_back_as_they_were_appended(tmp_path: Path) -> None:
    """One line an event, in order."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(EVENTS[:1])
    journal.append(EVENTS[1:])
    assert list(journal.events()) == EVENTS
    journal.close()


def test_a_torn_last_line_did_not_happen(tmp_path: Path) -> None:
    """A crash in mid-write leaves half a line, which is cut off before anything is appended."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append(EVENTS)
    journal.close()
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal(path)
    again.append(EVENTS[1:])
    assert list(again.events()) == EVENTS
    again.close()


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    """A journal of another version is refused with its line."""
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "landed"}\n')
    journal = Journal(path)
    with pytest.raises(RunFailedError, match=r"journal\.jsonl:1"):
        list(journal.events())
    journal.close()
