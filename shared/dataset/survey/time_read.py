"""A column of times, and how it was read."""

from __future__ import annotations

import msgspec

from shared.clock_changes import ClockChanges
from shared.config.system import Dataset


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """A column of times, and how it was read."""

    column: str
    types: tuple[str, ...]  # as in the files
    unit: str | None  # of those that are numbers
    format: str | None  # of those that are texts; None: ISO 8601
    zone: str | None  # of those that name none; None: UTC
    twice: int  # local times that occur twice, taken for the earlier
    never: int  # local times that never occur, moved forward by the gap


def time_read(config: Dataset, types: tuple[str, ...], clocks: ClockChanges) -> Time:
    """That of a table's timestamps."""
    return Time(
        column=config.timestamp,
        types=types,
        unit=config.unit,
        format=config.format,
        zone=config.zone,
        twice=clocks.twice,
        never=clocks.never,
    )
