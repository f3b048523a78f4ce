"""Moments and durations. Moments are int64 microseconds since 1970-01-01 UTC inside, ISO 8601 outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_S = 1_000_000
_SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def parse_timestamp_us(text: str) -> int:
    """Microseconds since the epoch for an ISO 8601 text; a time without a zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def format_timestamp(timestamp_us: int) -> str:
    """`2013-01-01T00:00:00.000000Z`: fixed width, so that texts sort as the moments do."""
    return (_EPOCH + timedelta(microseconds=timestamp_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_foretold(timestamp_us: int) -> str:
    """A moment to come, for people: it may be so far off that no row reaches it."""
    try:
        return format_timestamp(timestamp_us)
    except OverflowError:
        return "the year 10000"


def to_the_minute(timestamp: str) -> str:
    """One that was formatted so, for people: `2013-01-01 00:00`."""
    return timestamp[:16].replace("T", " ")


def now_us() -> int:
    """The present moment by this machine's clock."""
    return (datetime.now(UTC) - _EPOCH) // _MICROSECOND


def parse_duration_s(text: str) -> float:
    """Seconds in a duration such as `7d`; raises ValueError with the remedy for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and one of s, m, h, d, w, such as 30s or 7d")
    return float(match[1]) * _SECONDS_PER_UNIT[match[2]]
