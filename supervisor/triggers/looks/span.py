"""A span of the stream, so many rows or so much event time: its field, its group, and what is made of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.timestamps import MICROSECONDS_PER_S

_DURATION = f.Duration("")
Length = Mapping[str, Any]  # {"rows": n, "duration_s": None}, or {"rows": None, "duration_s": s}
_S_PER_UNIT = {"d": 86_400, "h": 3600, "m": 60}


class SpanField(f.Sentence):
    """A number of rows, or a duration; loads as a Length."""

    kind = "whole number | duration"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"rows": f.Whole("").deserialize(value), "duration_s": None}
        if isinstance(value, str):
            return {"rows": None, "duration_s": _DURATION.deserialize(value)}
        raise ValidationError(
            f"{f.quoted(value)} is neither a number of rows, such as 5000, nor a duration, such as 2d."
        )

    def written(self, value: Any) -> Any:
        """The number, or the duration."""
        return as_written(_DURATION, value["duration_s"]) if value["rows"] is None else value["rows"]


class Extent(f.Group):
    """The same as a group: `{rows: 500}`, `{last: 7d}`. Loads as a Length."""

    example = "{rows: 500}"
    rows = f.Whole("so many rows", load_default=None)
    duration_s = f.Duration("so much event time", load_default=None, data_key="last")

    @f.validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if (data["rows"] is None) == (data["duration_s"] is None):
            raise ValidationError({"rows": ["one of rows and last is to be given; write {rows: 500} or {last: 7d}."]})


class Span:
    """How long it is, and how much of it has passed. Of `rows` and `us`, microseconds, one is not None."""

    def __init__(self, length: Length) -> None:
        self.rows: int | None = length["rows"]
        self._duration_s: float = length["duration_s"] or 0.0
        self.us = round(self._duration_s * MICROSECONDS_PER_S) if self.rows is None else None

    def passed(self, rows: int, us: int) -> bool:
        """Whether so many rows, or so many microseconds, are as much as it or more."""
        return us >= self.us if self.us is not None else rows >= (self.rows or 0)

    def __str__(self) -> str:
        """`5,000 rows`, `2d`."""
        return f"{self.rows:,} rows" if self.rows is not None else in_words(self._duration_s)

    def told(self, rows: int, us: int) -> str:
        """`1,200 of 5,000 rows`, `1.2d of 2d`."""
        return f"{rows:,} of {self}" if self.rows is not None else f"{_so_far(us)} of {self}"


def in_words(duration_s: float) -> str:
    """A duration for people, who count in minutes, too: `2d`, `10m`, `0.5s`."""
    units = (
        f"{duration_s / length_s:.0f}{unit}" for unit, length_s in _S_PER_UNIT.items() if not duration_s % length_s
    )
    return next(units, f"{duration_s:g}s")


def _so_far(us: int) -> str:
    """How much of one has passed, rounded down in the unit that fits it best: `1.2d`, `40s`."""
    seconds = us / MICROSECONDS_PER_S
    unit, length_s = next((one for one in _S_PER_UNIT.items() if seconds >= one[1]), ("s", 1))
    return f"{math.floor(seconds / length_s * 10) / 10:g}{unit}"
