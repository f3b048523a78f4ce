"""Moments in time: int64 microseconds since 1970-01-01 UTC inside, ISO 8601 outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_S = 1_000_000


def parse_timestamp_us(text: str) -> int:
    """Microseconds since the epoch for an ISO 8601 text; a time without a zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def format_timestamp(timestamp_us: int) -> str:
    """`2013-01-01T00:00:00.000000Z`: fixed width, so that texts sort as the moments do."""
    return (_EPOCH + timedelta(microseconds=timestamp_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now_us() -> int:
    """The present moment by this machine's clock."""
    return (datetime.now(UTC) - _EPOCH) // _MICROSECOND
