"""Files of the dataset that are not read: which of them is news, and when one is read after all."""

from __future__ import annotations

from supervisor.core.events import Discovered, LabelsDiscovered, NotRead
from supervisor.core.notices import FileNotRead, FileReadNow, MoreNotRead, NotInTheWay
from supervisor.core.state import RunState
from supervisor.core.step import Step


def read_now(event: Discovered | LabelsDiscovered, state: RunState) -> Step:
    """New files, of which some may have been told of as not read."""
    rows: dict[str, int] = {}
    for entry in event.entries:
        if entry.file in state.unread.named:
            rows[entry.file] = rows.get(entry.file, 0) + entry.rows
    state = state.but(unread=state.unread.without(rows.keys())) if rows else state
    return state, [FileReadNow(file=file, rows=count) for file, count in rows.items()]


def not_read(event: NotRead, state: RunState) -> Step:
    """Of a file that cannot be read nothing more is told while that stays so: a reader's words change as it grows."""
    before, now = state.unread, event.unread
    unreadable = {file: why for file, why in now.unreadable.items() if file not in before.unreadable}
    unfit = {file: why for file, why in now.unfit.items() if before.unfit.get(file) != why}
    told = [FileNotRead(file=file, sentence=why) for file, why in {**unreadable, **unfit}.items()]
    more = [MoreNotRead(files=now.files)] if now.more and not before.more else []
    gone = [NotInTheWay(file=file) for file in before.named if file not in now.named]
    return state.but(unread=now), [*told, *more, *gone]
