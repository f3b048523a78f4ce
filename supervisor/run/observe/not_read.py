"""Keeps account of the files that cannot be read or do not fit, from look to look: an event when they are others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from shared.config.secrets import hide
from shared.dataset.discovery import Found
from shared.errors import PlaceError
from shared.timestamps import now_us
from supervisor.core.events import NotRead, Unread
from supervisor.system.unread import unfit, unreadable

_MOST_NAMED = 20
_LOOKS = 10  # in a row at which a file may be found being written to, before that is worth a word
_LONG_S = 300.0  # for which an end of a line may wait for its rest


class _Waiting(NamedTuple):
    """An end of a line that is no whole one."""

    first_byte: int
    looks: int  # in a row at which it began there
    since_s: float


class NotReadFiles:
    """What a run has told of such files so far, and what is to be told next."""

    def __init__(self, unread: Unread, long_s: float = _LONG_S) -> None:
        self._unread, self._long_s = unread, long_s
        self._waiting: dict[str, _Waiting] = {}  # ends of lines
        self._unfinished: Counter[str] = Counter()  # file → at how many looks in a row it was being written to

    def after(self, found: Found) -> NotRead | None:
        """What this look makes of them; None if they are as they were."""
        cannot = unreadable(found)
        writing = {file: one for file, one in found.misfits.items() if one.why == "unfinished"}
        self._unfinished = Counter({file: self._unfinished[file] + 1 for file in writing})
        cannot |= {file: hide(one.sentences[0]) for file, one in writing.items() if self._unfinished[file] >= _LOOKS}
        cannot |= {file: hide(found.waiting[file].sentence(file)) for file in self._overdue(found)}
        before = self._unread
        return self._changed(
            _below(found.away, before.unreadable) | cannot, _below(found.away, before.unfit) | unfit(found)
        )

    def _overdue(self, found: Found) -> list[str]:
        """Files with an end of a line that has waited for many looks, or for long: perhaps nobody ends it."""
        now_s, before = time.monotonic(), self._waiting
        self._waiting = {}
        for file, tail in found.waiting.items():
            known = before.get(file)
            first = known if known is not None and known.first_byte == tail.first_byte else None
            looks, since_s = (first.looks, first.since_s) if first else (0, now_s)
            self._waiting[file] = _Waiting(tail.first_byte, looks + 1, since_s)
        return [
            file for file, one in self._waiting.items() if one.looks >= _LOOKS or now_s - one.since_s >= self._long_s
        ]

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
