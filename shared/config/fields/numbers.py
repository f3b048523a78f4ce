"""Numbers, durations and moments."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config.fields.sentence import Sentence, quoted
from shared.config.secrets import hide
from shared.timestamps import format_timestamp, parse_duration_s, parse_timestamp_us

MOST = 2**63 - 1  # what messages can carry
_LONGEST_S = 10_000 * 366 * 86_400.0  # longer than what separates any two moments with a year of four digits


class Whole(Sentence):
    """A whole number of at least `least` and at most `most`."""

    kind = "whole number"

    def __init__(self, meaning: str, *, least: int = 1, most: int = MOST, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value < self.least:
            raise ValidationError(f"{quoted(value)} is not a whole number of at least {self.least}.")
        if value > self.most:
            raise ValidationError(f"{quoted(value)} is too large; at most {self.most} can be used.")
        return value


class Number(Sentence):
    """A finite number in a range."""

    kind = "number"

    def __init__(self, meaning: str, *, least: float = -math.inf, below: float = math.inf, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least, self.below = least, below

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not abs(value) <= sys.float_info.max or not self.least <= value < self.below:
            bounds = "" if self.least == -math.inf else f" of at least {self.least:g}"
            bounds += "" if self.below == math.inf else f" and below {self.below:g}"
            raise ValidationError(f"{quoted(value)} is not a number{bounds}{_of_percents(value)}.")
        return float(value)


def _of_percents(value: Any) -> str:
    """How a share is written that says `50%`."""
    try:
        share = float(value.removesuffix("%")) / 100 if isinstance(value, str) and value.endswith("%") else math.nan
    except ValueError:
        return ""
    return f"; write {share:g}" if math.isfinite(share) else ""


class PositiveNumber(Number):
    """A finite number above zero."""

    kind = "number > 0"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = super()._deserialize(value, attr, data, **kwargs)
        if number <= 0:
            raise ValidationError(f"{quoted(value)} is not a number above zero.")
        return number


class Duration(Sentence):
    """A duration above zero, in seconds."""

    kind = "duration"

    def __init__(self, meaning: str, *, least_s: float = 1e-6, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least_s = least_s

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(
                f"{quoted(value)} is not a duration; write a number and one of s, m, h, d, w, such as 7d."
            )
        try:
            seconds = parse_duration_s(value)
        except ValueError as error:
            raise ValidationError(f"{hide(str(error))}.") from None
        if seconds > _LONGEST_S:
            raise ValidationError(f"{quoted(value)} is too long; at most {_LONGEST_S / 86_400:.0f}d can be used.")
        if seconds < self.least_s:
            raise ValidationError(f"{quoted(value)} is too short; at least {self.least_s:g}s is needed.")
        return seconds


class Moment(Sentence):
    """A moment, in microseconds since the epoch."""

    kind = "ISO 8601 time"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            timestamp_us = parse_timestamp_us(value)
            format_timestamp(timestamp_us)  # near the years 1 and 9999, UTC may have no such moment
        except (TypeError, ValueError, OverflowError):
            raise ValidationError(f"{quoted(value)} is not a time; write one such as 2013-01-01T00:00:00Z.") from None
        return timestamp_us
