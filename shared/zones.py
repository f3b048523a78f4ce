"""Time zones by the names of the IANA database; those of Windows, and mere offsets, are refused with what to write.

Where a system has no such database, Python takes that of the package tzdata.
"""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from shared.words import meant

_NO_PLACES = {"localtime", "Factory"}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d\d?)(?::?(\d\d))?", re.IGNORECASE)


@cache
def zone(name: str) -> ZoneInfo:
    """A zone. Raises ValueError, with a sentence, for a name that is none."""
    if not _names():
        raise ValueError("cannot be looked up: this system knows no time zones; install the package tzdata.")
    if name not in _names():
        raise ValueError(f"is no time zone; {_instead(name)}")
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def _instead(name: str) -> str:
    windows = next((key for key in win_tz if key.lower() == name.strip().lower()), None)
    if windows is not None:
        return f"that is its name on Windows, write {win_tz[windows]}."
    offset = _OFFSET.fullmatch(name.strip())
    if offset is not None:
        return _of_offset(offset[1], int(offset[2]), int(offset[3] or 0))
    same = next((one for one in sorted(_names()) if one.lower() == name.strip().lower()), None)
    near = same or meant(name, _names()) or _city(name)
    return f"did you mean {near}?" if near else "write a name of the IANA database, such as Europe/Zurich or UTC."


def _of_offset(sign: str, hours: int, minutes: int) -> str:
    """The database turns the sign: Etc/GMT-2 is two hours ahead of UTC."""
    known = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    if minutes == 0 and hours == 0:
        return "write UTC."
    if minutes == 0 and known in _names():
        return f"for {sign}{hours:02}:00 all year round write {known}, else the name of a place such as Europe/Zurich."
    return "write the name of a place that has it, such as Asia/Kolkata for +05:30."


def _city(name: str) -> str | None:
    """`Zurich` means Europe/Zurich, where one zone is called so."""
    word = name.strip().lower().replace(" ", "_")
    found = [one for one in sorted(_names()) if one.lower().endswith(f"/{word}")]
    return found[0] if len(found) == 1 else None
