"""A span of the stream: so many rows, or so much event time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.timestamps import MICROSECONDS_PER_S

_DURATION = f.Duration("")
_S_PER_UNIT = {"d": 86_400, "h": 3600, "m": 60}


class SpanField(f.Sentence):
    """A number of rows, or a duration; loads as {rows} or {duration_s}, which `Span` takes."""

    kind = "whole number ≥ 1, or duration"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"rows": f.Whole("").deserialize(value)}
        if isinstance(value, str):
            return {"duration_s": _DURATION.deserialize(value)}
        raise ValidationError(
            f"{f.quoted(value)} is neither a number of rows, such as 5000, nor a duration, such as 2d."
        )

    def written(self, value: Any) -> Any:
        """The number, or the duration."""
        return value["rows"] if "rows" in value else as_written(_DURATION, value["duration_s"])


class Span:
    """How long it is, and how much of it has passed."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """`given`: as `SpanField` loads it."""
        self._rows: int | None = given.get("rows")
        self._duration_s: float = given.get("duration_s", 0)

    def passed(self, rows: int, us: int) -> bool:
        """Whether so many rows, or so many microseconds, are as much as it or more."""
        if self._rows is not None:
            return rows >= self._rows
        return us >= round(self._duration_s * MICROSECONDS_PER_S)

    def __str__(self) -> str:
        """`5,000 rows`, `2d`."""
        return f"{self._rows:,} rows" if self._rows is not None else length(self._duration_s)

    def told(self, rows: int, us: int) -> str:
        """`1,200 of 5,000 rows`, `1.2d of 2d`."""
        return f"{rows:,} of {self}" if self._rows is not None else f"{_so_far(us)} of {self}"


def length(duration_s: float) -> str:
    """A duration as people write it: `2d`, `10m`, `0.5s`."""
    units = (
        f"{duration_s / length_s:.0f}{unit}" for unit, length_s in _S_PER_UNIT.items() if not duration_s % length_s
    )
    return next(units, f"{duration_s:g}s")


def _so_far(us: int) -> str:
    """How much of one has passed, rounded down in the unit that fits it best: `1.2d`, `40s`."""
    seconds = us / MICROSECONDS_PER_S
    unit, length_s = next((one for one in _S_PER_UNIT.items() if seconds >= one[1]), ("s", 1))
    return f"{math.floor(seconds / length_s * 10) / 10:g}{unit}"
