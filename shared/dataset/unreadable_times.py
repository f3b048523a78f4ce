"""Why a time cannot be read, and what to write in config.yaml so that it can: sentences for people."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from shared.config.system import TimeFormat
from shared.dataset.column_kinds import kind_of
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.written_times import formats_that_fit, in_words
from shared.printable import printable
from shared.time_format import pattern
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp, now_us

UNITS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FAR = "beyond the years 1 to 9999"


class ColumnOfTimes(NamedTuple):
    """A column of times, and where config.yaml speaks of it."""

    name: str
    written: TimeFormat
    key: str  # that names the column: `timestamp`, `known_at`
    place: str  # the group in which it stands, such as storage.datasets.flights
    unit_beside: bool = False  # whether the unit may stand beside the key


def why(scalar: pa.Scalar, column: pa.ChunkedArray, of: ColumnOfTimes) -> str:
    """What is wrong with a value that cannot be read, and what to do. `column`: the values that were looked at."""
    kind = kind_of(scalar.type)
    if kind not in ("text", "whole number", "number"):  # what is beyond all years cannot be written either
        return f"is {_FAR}. {MEND_THE_ROW}"
    value = scalar.as_py()
    if kind == "text" or (kind == "whole number" and of.written.format is not None):
        return _text(printable(repr(value)), str(value).strip(), column, of)
    if of.written.format is not None:
        return f"is {value}, which `format: {_quoted(of)}` does not read. {MEND_THE_ROW}"
    return _number(value, column, of)


def _text(shown: str, value: str, column: pa.ChunkedArray, of: ColumnOfTimes) -> str:
    written, others = of.written, formats_that_fit(column)
    if written.format is None:
        wrong = f"is {shown}, which is no ISO 8601 time such as 2024-01-31 or 2024-01-31T23:59:00Z"
    elif re.fullmatch(pattern(written.format), value, re.ASCII):
        wrong = f"is {shown}, which is no day of the calendar, or {_FAR}"
    else:
        wrong = f"is {shown}, which `format: {_quoted(of)}` does not read"
    if not others:
        say = f" Times that are not written so need {_key(of, '…')} in {of.place}." if written.format is None else ""
        return f"{wrong}.{say} {MEND_THE_ROW}"
    fit = in_words(others, len(column))
    if len(others) > 1:
        return f"{wrong}. {fit}: say which is meant, as in {_key(of, others[0])}, in {of.place}."
    if written.format is None:
        return f"{wrong}. {fit}: say {_key(of, others[0])} in {of.place}."
    return f"{wrong}. {fit}: if the dataset is written so, say that; all its files need one format. {MEND_THE_ROW}"


def _quoted(of: ColumnOfTimes) -> str:
    return f'"{of.written.format}"'


def _key(of: ColumnOfTimes, written: str) -> str:
    """As it stands in config.yaml."""
    zone = f", zone: {of.written.zone}" if of.written.zone is not None else ""
    return f'`{of.key}: {{column: {of.name}, format: "{written}"{zone}}}`'


def _number(value: Any, column: pa.ChunkedArray, of: ColumnOfTimes) -> str:
    unit = of.written.unit
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return f"is {value}. {MEND_THE_ROW}"
    fitting = " or ".join(f"{_unit(of, one)} ({moment})" for one, moment in _units_for(value).items())
    offer = f"say {fitting} in {of.place}"
    if unit is not None:
        remedy = f"If that is the wrong unit, {offer}. " if fitting else ""
        return f"is {value}; with `unit: {unit}` that is {_FAR}. {remedy}{MEND_THE_ROW}"
    every = f"say one of {', '.join(UNITS_PER_S)} as `unit:` in {of.place}"
    digits = formats_that_fit(column) if pa.types.is_integer(column.type) else []
    if digits:
        keys = " or ".join(_key(of, one) for one in digits)
        offer = f"if its digits are a date, say {keys} in {of.place}, else {offer.removesuffix(f' in {of.place}')}"
    return f"is {value}, a number without a unit; {offer if fitting or digits else every}."


def _unit(of: ColumnOfTimes, unit: str) -> str:
    return f"`unit: {unit}`" if of.unit_beside else f"`{of.key}: {{column: {of.name}, unit: {unit}}}`"


def _units_for(value: float | Decimal) -> dict[str, str]:
    """The units in which a number is a moment between 1970 and today, and that moment; the latest first."""
    moments = {unit: int(value * MICROSECONDS_PER_S) // per_s for unit, per_s in UNITS_PER_S.items()}
    return {unit: format_timestamp(moment) for unit, moment in moments.items() if 0 < moment <= now_us()}
