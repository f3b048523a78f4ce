"""Keeps account of the files that cannot be read or do not fit, from look to look: an event when they are others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from shared.config.secrets import hide
from shared.dataset.discovery import Found
from shared.errors import PlaceError
from shared.timestamps import now_us
from supervisor.core.events import NotRead, Unread
from supervisor.system.unread import unfit, unreadable

_MOST_NAMED = 20
_LONG_S = 60.0  # for which a file may be written to, or an end of a line wait for its rest, before that is told


class _Waiting(NamedTuple):
    """A file that is being written to, or an end of a line in it that is no whole one."""

    first_byte: int | None
    since_s: float  # at each look since then it was so


class NotReadFiles:
    """What a run has told of such files so far, and what is to be told next."""

    def __init__(self, unread: Unread, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._unread, self._clock_s = unread, clock_s
        self._waiting: dict[str, _Waiting] = {}

    def after(self, found: Found) -> NotRead | None:
        """What this look makes of them; None if they are as they were."""
        cannot = unreadable(found)
        unfinished = {file: one.sentences[0] for file, one in found.misfits.items() if one.why == "unfinished"}
        ends = {file: tail.sentence(file) for file, tail in found.waiting.items()}
        cannot |= {file: hide({**unfinished, **ends}[file]) for file in self._overdue(found, unfinished)}
        before = self._unread
        return self._changed(
            _below(found.away, before.unreadable) | cannot, _below(found.away, before.unfit) | unfit(found)
        )

    def _overdue(self, found: Found, unfinished: Collection[str]) -> list[str]:
        """Files that have been written to for long, or whose last line has waited so long: perhaps nobody ends it."""
        now_s, before = self._clock_s(), self._waiting
        first_bytes = dict.fromkeys(unfinished) | {file: tail.first_byte for file, tail in found.waiting.items()}
        self._waiting = {}
        for file, first_byte in first_bytes.items():
            known = before.get(file)
            same = known is not None and known.first_byte == first_byte
            self._waiting[file] = known if known and same else _Waiting(first_byte, now_s)
        return [file for file, one in self._waiting.items() if now_s - one.since_s >= _LONG_S]

    def while_away(self, uri: str, error: PlaceError) -> NotRead | None:
        """The place could not be looked into, so nothing is known of the others."""
        return self._changed({**self._unread.unreadable, uri: hide(str(error))}, self._unread.unfit, self._unread.more)

    def _changed(self, cannot: Mapping[str, str], misfits: Mapping[str, str], more: int = 0) -> NotRead | None:
        """Who has a name keeps it, so that nothing is told twice where there are many."""
        before = self._unread.named
        names = sorted({**cannot, **misfits}, key=lambda name: (name not in before, name))
        named = sorted(names[:_MOST_NAMED])
        now = Unread(
            unreadable={name: cannot[name] for name in named if name in cannot},
            unfit={name: misfits[name] for name in named if name in misfits},
            more=len(names) - len(named) + more,
        )
        if now == self._unread:
            return None
        self._unread = now
        return NotRead(time_us=now_us(), unread=now)


def _below(places: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Those of some names that lie in places of which nothing is known now: they are what they were."""
    return {name: why for name, why in named.items() if any(name.startswith(f"{place}/") for place in places)}
