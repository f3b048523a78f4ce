"""journal.jsonl: what was appended is there, whatever was torn off is not."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import msgspec
import pytest

from shared.errors import RunFailedError
from supervisor.core.events import AnyEvent, StopAsked, StreamEnded
from supervisor.run.journal import Journal, events_in

EVENTS: list[AnyEvent] = [StopAsked(time_us=1, by="a"), StreamEnded(time_us=2, key=7)]


def test_events_come_back_as_they_were_appended(tmp_path: Path) -> None:
    """One line an event, in order."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(EVENTS[:1])
    journal.append(EVENTS[1:])
    journal.close()
    assert list(events_in(journal.path)) == EVENTS


def test_a_torn_last_line_did_not_happen(tmp_path: Path) -> None:
    """A crash in mid-write leaves half a line, which is cut off before anything is appended."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append(EVENTS)
    journal.close()
    torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    assert list(events_in(path)) == EVENTS[:1]
    assert path.read_bytes() == torn, "reading cuts nothing: it may be a line that is being written"
    again = Journal(path)
    again.append(EVENTS[1:])
    again.close()
    assert list(events_in(path)) == EVENTS


@pytest.mark.parametrize("torn", ["", "x", "x" * 200_000])
@pytest.mark.parametrize("whole", [0, 1, 3000])
def test_whatever_was_torn_only_that_is_cut_off(tmp_path: Path, torn: str, whole: int) -> None:
    """Half a line of any length, behind any number of whole ones; then the file says what it said."""
    path = tmp_path / "journal.jsonl"
    line = msgspec.json.encode(StopAsked(time_us=1, by="a" * 100)).decode() + "\n"
    path.write_text(line * whole + torn)
    Journal(path).close()
    assert path.read_text() == line * whole


def test_a_long_journal_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    """Opening it reads its end; its events are read one by one, once."""
    path = tmp_path / "journal.jsonl"
    line = msgspec.json.encode(StopAsked(time_us=1, by="a" * 1000)) + b"\n"
    path.write_bytes(line * 20_000 + b"torn")
    tracemalloc.start()
    before = bytes_read()
    journal = Journal(path)
    opened = bytes_read()
    journal.close()
    assert sum(1 for _ in events_in(path)) == 20_000
    read, (_, peak_bytes) = bytes_read(), tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened - before < 200_000
    assert read - opened < 1.1 * len(line) * 20_000
    assert peak_bytes < 1_000_000


def bytes_read() -> int:
    """What this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    """A journal of another version is refused with its line."""
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "landed"}\n')
    with pytest.raises(RunFailedError, match=r"journal\.jsonl:1"):
        list(events_in(path))


@pytest.mark.parametrize("how", ["deleted", "replaced", "moved"])
def test_a_journal_that_lost_its_name_takes_nothing_more(tmp_path: Path, how: str) -> None:
    """What would be written to it could never be read again."""
    path = tmp_path / "run" / "journal.jsonl"
    path.parent.mkdir()
    journal = Journal(path)
    journal.append(EVENTS[:1])
    if how == "deleted":
        path.unlink()
    elif how == "replaced":
        (tmp_path / "older").touch()
        (tmp_path / "older").replace(path)
    else:
        path.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(RunFailedError, match="was moved, deleted or replaced while the run went on"):
        journal.append(EVENTS[1:])
    journal.close()
