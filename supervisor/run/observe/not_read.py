"""Keeps account of the files that cannot be read or do not fit, from look to look: an event when they are others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from shared.config.secrets import hide
from shared.dataset.discovery import Found
from shared.dataset.growth import Tail
from shared.timestamps import now_us
from supervisor.core.events import NotRead
from supervisor.core.seen import Unread
from supervisor.run.observe.file_look import Away
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

    def after(self, *looks: Found | Away) -> NotRead | None:
        """What a look makes of them, at the rows' files and those of their labels; None if they are as they were."""
        found = [one for one in looks if isinstance(one, Found)]
        aways = {one.uri: hide(str(one.error)) for one in looks if isinstance(one, Away)}
        unfinished = {file: one for look in found for file, one in look.misfits.items() if one.why == "unfinished"}
        ends = {file: tail for look in found for file, tail in look.waiting.items()}
        overdue = self._overdue(unfinished, ends, keeps=bool(aways))
        cannot = _all(map(unreadable, found)) | {
            file: hide(ends[file].sentence(file) if file in ends else unfinished[file].sentences[0]) for file in overdue
        }
        before, misfits = self._unread, _all(map(unfit, found))
        for look in found:
            cannot = _below(look.away, before.unreadable) | cannot
            misfits = _below(look.away, before.unfit) | misfits
        if not aways:
            return self._changed(cannot, misfits)
        # Nothing is known of what they hold: it is what it was.
        cannot = {**_kept(before.unreadable, aways), **cannot, **aways}
        return self._changed(cannot, {**_kept(before.unfit, aways), **misfits}, before.more)

    def _overdue(self, unfinished: Collection[str], ends: Mapping[str, Tail], *, keeps: bool) -> list[str]:
        """Files that have been written to for long, or whose last line has waited so long: perhaps nobody ends it.

        `keeps`: those that were not looked at now wait on.
        """
        now_s, before = self._clock_s(), self._waiting
        first_bytes = dict.fromkeys(unfinished) | {file: tail.first_byte for file, tail in ends.items()}
        self._waiting = dict(before) if keeps else {}
        for file, first_byte in first_bytes.items():
            known = before.get(file)
            same = known is not None and known.first_byte == first_byte
            self._waiting[file] = known if known and same else _Waiting(first_byte, now_s)
        return [file for file in first_bytes if now_s - self._waiting[file].since_s >= _LONG_S]

    def _changed(self, cannot: Mapping[str, str], misfits: Mapping[str, str], more: int = 0) -> NotRead | None:
        """Who has a name keeps it, so that nothing is told twice where there are many. `more`: at least so many have
        none.
        """
        before = self._unread.named
        names = sorted({**cannot, **misfits}, key=lambda name: (name not in before, name))
        named = sorted(names[:_MOST_NAMED])
        now = Unread(
            unreadable={name: cannot[name] for name in named if name in cannot},
            unfit={name: misfits[name] for name in named if name in misfits},
            more=max(len(names) - len(named), more),
        )
        if now == self._unread:
            return None
        self._unread = now
        return NotRead(time_us=now_us(), unread=now)


def _all(told: Iterable[dict[str, str]]) -> dict[str, str]:
    return {name: why for one in told for name, why in one.items()}


def _kept(told: Mapping[str, str], uris: Collection[str]) -> dict[str, str]:
    """Those of some names that may be files of one of these."""
    return {name: why for name, why in told.items() if any(name.startswith(_beginning(uri)) for uri in uris)}


def _beginning(uri: str) -> str:
    """What the names of all its files begin with, or are: they have no protocol."""
    return re.split(r"[*?\[]", uri.rpartition("://")[2])[0].rstrip("/")


def _below(places: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Those of some names that lie in places of which nothing is known now: they are what they were."""
    return {name: why for name, why in named.items() if any(name.startswith(f"{place}/") for place in places)}
