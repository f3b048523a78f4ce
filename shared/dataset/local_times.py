"""Local times as moments. Of one that occurs twice, as clocks are set back, it is the earlier; one that never occurs,
as they are set forward, is moved forward by the gap. Python's zones say the same of `fold=0`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.clock_changes import NEVER, TWICE
from shared.timestamps import MICROSECONDS_PER_S
from shared.zones import zone

_STEP = timedelta(hours=6)  # in which no zone has changed its clocks twice
_AROUND = timedelta(days=2)  # more than any offset
_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC) + _AROUND, datetime.max.replace(tzinfo=UTC) - _AROUND


class Moments(NamedTuple):
    """Microseconds since 1970 UTC, and what was seen of the clocks (0, TWICE or NEVER); both of shape (rows,)."""

    us: npt.NDArray[np.int64]
    marks: npt.NDArray[np.int8]


class _Change(NamedTuple):
    """A change of the clocks, in seconds since 1970."""

    moment: int  # UTC
    before: int  # what local times were ahead of UTC
    after: int


def moments(local_us: npt.NDArray[np.int64], name: str) -> Moments:
    """Of local times in microseconds since 1970, shape (rows,). Raises ValueError for no name of a zone."""
    borders, offsets, first, stop, kinds = _clock(name, *_years(local_us))
    seconds = local_us // MICROSECONDS_PER_S
    ahead_us = offsets[np.searchsorted(borders, seconds, "right") - 1] * MICROSECONDS_PER_S
    marks = np.zeros(len(local_us), np.int8)
    if len(first):
        change = np.searchsorted(first, seconds, "right") - 1
        marks = np.where((change >= 0) & (seconds < stop[change]), kinds[change], np.int8(0))
    return Moments(local_us - ahead_us, marks)


def on_the_clock(us: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.int64]:
    """What the clocks of a zone show at moments since 1970 UTC, as if it were UTC, shape (rows,).

    Raises ValueError for no name of a zone.
    """
    borders, offsets = _ahead_from(name, *_years(us))
    return us + offsets[np.searchsorted(borders, us // MICROSECONDS_PER_S, "right") - 1] * MICROSECONDS_PER_S


@lru_cache(maxsize=64)
def _ahead_from(name: str, *years: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """UTC seconds from which on an offset holds, and the offsets."""
    found = {}
    for year in years:
        opens = max(datetime(year, 1, 1, tzinfo=UTC), _FIRST)
        found[_opens(year)] = _ahead(opens.astimezone(zone(name)))
        of_year = range(_opens(year), _opens(year + 1))
        found |= {moment: after for moment, _, after in _changes(name, year) if moment in of_year}
    return np.array(sorted(found), np.int64), np.array([found[moment] for moment in sorted(found)], np.int64)


def _years(local_us: npt.NDArray[np.int64]) -> tuple[int, ...]:
    years = local_us.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    ends = (int(years.min()), int(years.max())) if len(years) else (1970, 1970)
    return tuple(range(ends[0], ends[1] + 1)) if ends[1] - ends[0] < 100 else tuple(np.unique(years).tolist())


@lru_cache(maxsize=64)
def _clock(name: str, *years: int) -> tuple[npt.NDArray[np.int64], ...]:
    """Local seconds from which on an offset holds, the offsets; where local times begin to be odd, end to, and how."""
    borders, offsets, odd = [], [], {}
    for year in years:
        opens = _opens(year)
        borders.append(opens)
        offsets.append(_ahead(datetime(year, 1, 1, tzinfo=zone(name))))
        for moment, before, after in _changes(name, year):
            border = moment + max(before, after)
            if opens < border < _opens(year + 1):
                borders.append(border)
                offsets.append(after)
            odd[moment + min(before, after)] = (border, NEVER if after > before else TWICE)
    ordered = sorted(odd.items())
    return (
        np.array(borders, np.int64),
        np.array(offsets, np.int64),
        np.array([first for first, _ in ordered], np.int64),
        np.array([stop for _, (stop, _) in ordered], np.int64),
        np.array([kind for _, (_, kind) in ordered], np.int8),
    )


def _opens(year: int) -> int:
    """The local second at which a year begins; the year 10000 has one, too."""
    return int(np.datetime64(f"{year:04}-01-01" if year < 10_000 else "10000-01-01", "s").astype(np.int64))


@lru_cache(maxsize=4096)
def _changes(name: str, year: int) -> tuple[_Change, ...]:
    """Those of a year and of some days around it."""
    found, place = [], zone(name)
    at = max(datetime(year, 1, 1, tzinfo=UTC) - _AROUND if year > 1 else _FIRST, _FIRST)
    end = min(datetime(year, 12, 31, tzinfo=UTC) + 2 * _AROUND, _LAST) if year < 9999 else _LAST
    before = _ahead(at.astimezone(place))
    while at < end:
        later = at + _STEP
        after = _ahead(later.astimezone(place))
        if after != before:
            found.append(_Change(_moment(at, later, name), before, after))
        at, before = later, after
    return tuple(found)


def _moment(before: datetime, after: datetime, name: str) -> int:
    """The second at which the clocks changed, by halves."""
    place, old = zone(name), _ahead(before.astimezone(zone(name)))
    while after - before > _SECOND:
        middle = before + ((after - before) // 2 // _SECOND) * _SECOND
        if _ahead(middle.astimezone(place)) == old:
            before = middle
        else:
            after = middle
    return (after.replace(tzinfo=None) - _EPOCH) // _SECOND


def _ahead(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return offset // _SECOND
