"""The moments of a cron expression in a time zone, and what is wrong with one that has none.

The only module that loads croniter.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from shared.timestamps import MICROSECONDS_PER_S
from shared.zones import zone

EXAMPLE = '"0 3 * * 1" for Mondays at 3:00'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of the month": "1 to 31",
    "month": "1 to 12, or jan to dec",
    "day of the week": "0 to 7, or sun to sat",
}
_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_BY_CHANCE = re.compile(r"[hr](\(|/|$)", re.IGNORECASE)  # croniter's own: some value, `r` another one each time


class Cron:
    """Moments at which an expression says that it is time, by the clocks of a zone.

    A moment that clocks skip in spring comes when they go on. What they show twice in autumn comes the first time only,
    or both times where the expression's hour begins with `*`.
    """

    def __init__(self, expression: str, zone_name: str) -> None:
        """Raises ValueError, with a sentence, for what is no expression or for one whose moment never comes."""
        self._expression, self._zone = " ".join(expression.split()), zone(zone_name)
        fields = self._expression.split(" ")
        if self._expression not in _ALIASES:
            _check(fields)
        self._every_hour = self._expression == "@hourly" or fields[1:2] != [] and fields[1].startswith("*")
        try:
            comes = self.next_us(0) is not None
        except CroniterBadCronError as error:
            raise ValueError(f"{_wrong(fields) or _reason(error)}; write such as {EXAMPLE}.") from None
        if not comes:
            raise ValueError(f"never comes, as no such month has that day; write such as {EXAMPLE}.")

    def next_us(self, after_us: int) -> int | None:
        """The first moment after one, both in microseconds since the epoch; None: there is none up to the year 9999."""
        try:
            after = (_EPOCH + timedelta(seconds=after_us // MICROSECONDS_PER_S)).astimezone(self._zone)
            moments = croniter(self._expression, after, ret_type=datetime)
            moment = moments.get_next()
            while moment.fold and not self._every_hour:
                moment = moments.get_next()
        except (CroniterBadDateError, OverflowError):
            return None
        seconds: int = (moment - _EPOCH) // timedelta(seconds=1)
        return seconds * MICROSECONDS_PER_S


def _check(fields: list[str]) -> None:
    """What croniter would take, and people seldom mean. Raises ValueError."""
    if len(fields) != len(_FIELDS):
        there = len([one for one in fields if one])
        raise ValueError(f"has {there} fields, not five: {', '.join(_FIELDS)}; write such as {EXAMPLE}.")
    for part in (part for field in fields for part in field.split(",")):
        if _BY_CHANCE.match(part):
            raise ValueError(f"has {part} in it, which leaves a moment to chance; write such as {EXAMPLE}.")


def _wrong(fields: list[str]) -> str:
    """The first field that is none by itself, which croniter does not tell; empty: each is one."""
    for place, (name, field) in enumerate(zip(_FIELDS, fields, strict=False)):
        alone = ["*"] * len(_FIELDS)
        alone[place] = field
        try:
            croniter(" ".join(alone))
        except CroniterBadCronError:
            return f"has {field} for the {name}, which is {_FIELDS[name]}"
    return ""


def _reason(error: Exception) -> str:
    """croniter's words, without the expression, which stands before them already."""
    return "is no cron expression: " + re.sub(r"^\[.*?\] (is )?", "", str(error)).strip().rstrip(".")
