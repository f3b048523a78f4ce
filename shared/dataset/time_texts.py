"""Texts of times in a format as strptime has it, as microseconds.

Arrow's strptime is not used: it takes 31/02/2024 for 2 March and the year 24 for one of four digits, knows no
fractions, and goes by the locale. Texts that all have all their digits are read as a matrix of bytes; others by a
regular expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.time_format import MONTHS, WIDTHS, digits_alone, parts_of, pattern

_DAY_US = 86_400_000_000
_PARTS_US = (("H", 3_600_000_000), ("M", 60_000_000), ("S", 1_000_000), ("f", 1))
_MOST = {"m": (1, 12), "d": (1, 31), "j": (1, 366), "H": (0, 23), "I": (1, 12), "M": (0, 59), "S": (0, 59)}
_ZERO = ord("0")

Numbers = npt.NDArray[np.int64]
Fields = dict[str, Numbers]  # what each directive says of each text


def read_texts(texts: pa.ChunkedArray, written: str) -> Numbers:
    """Times without nulls, shape (rows,): in UTC where the format names a zone, else as the clock showed them.

    Raises ValueError if there is one that does not match, or no such day.
    """
    column = _in_one_piece(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    fields = _padded(column, written)
    if fields is not None:
        return _us(fields)
    several = column.dictionary_encode()  # as of dates, of which a day's rows have one
    if 2 * len(several.dictionary) > len(column):
        return _us(_matched(column, written))
    return _us(_matched(several.dictionary, written))[_numbers(several.indices)]


def _us(fields: Fields) -> Numbers:
    us: Numbers = _days(fields) * _DAY_US + _in_day_us(fields)
    return us


def as_texts(column: pa.ChunkedArray, written: str) -> pa.ChunkedArray:
    """Whole numbers such as 20240131, in any type of number, with the zeros in front that a number loses.

    Raises ArrowException for a fraction.
    """
    digits = column.cast(pa.int64()).cast(pa.string())
    has_lost_zeros = parts_of(written)[0].directive != "Y"  # 2020111 is no day of the year 202
    return pc.utf8_lpad(digits, digits_alone(written), "0") if has_lost_zeros else digits


def _in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays([*column.chunks, pa.array([], pa.string())])


def _padded(column: pa.Array, written: str) -> Fields | None:
    """The fields of texts of one length that have all digits; None where these are others, or may be."""
    spans = list(_spans(column, written))
    if not spans or len(column) == 0:
        return None
    width, fields = spans[-1][2], {}
    start = int(np.frombuffer(column.buffers()[1], np.int32)[column.offset])
    table = np.frombuffer(column.buffers()[2], np.uint8, len(column) * width, start).reshape(-1, width)
    characters = np.ascontiguousarray(table.T)
    for what, first, stop in spans:
        if isinstance(what, bytes):
            if (characters[first:stop] != np.frombuffer(what, np.uint8)[:, None]).any():
                return None
            continue
        digits = characters[first:stop] - _ZERO  # what is smaller than a zero wraps around, and is larger than nine
        if digits.max() > 9:
            return None
        numbers = np.zeros(len(column), np.int64)
        for digit in digits:
            numbers = numbers * 10 + digit
        least, most = _MOST.get(what, (0, None))
        if numbers.min() < least or (most is not None and numbers.max() > most):
            return None
        fields[what] = _micros(numbers, stop - first) if what == "f" else numbers
    return fields


def _spans(column: pa.Array, written: str) -> Iterator[tuple[str | bytes, int, int]]:
    """(directive or bytes, first byte, stop byte) of texts that all have the length of the format with all digits."""
    parts = parts_of(written)
    if any(part.directive and part.directive != "f" and part.directive not in WIDTHS for part in parts):
        return
    lengths = pc.min_max(pc.binary_length(column)).as_py()
    known = sum(WIDTHS.get(part.directive, 0) + len(part.literal.encode()) for part in parts)
    fraction = (lengths["min"] or 0) - known
    has_fraction = any(part.directive == "f" for part in parts)
    if lengths["min"] != lengths["max"] or not (1 <= fraction <= 9 if has_fraction else fraction == 0):
        return
    at = 0
    for part in parts:
        what = part.directive or part.literal.encode()
        stop = at + (len(what) if isinstance(what, bytes) else fraction if what == "f" else WIDTHS[what])
        yield what, at, stop
        at = stop


def _micros(numbers: Numbers, digits: int) -> Numbers:
    """Digits behind the point as microseconds; finer ones are left out, as of Arrow's times."""
    micros: Numbers = numbers * 10 ** (6 - digits) if digits <= 6 else numbers // 10 ** (digits - 6)
    return micros


def _matched(column: pa.Array, written: str) -> Fields:
    found = pc.extract_regex(column, pattern(written))
    if found.null_count:
        raise ValueError("not in the format")
    texts = {found.type.field(number).name: found.field(number) for number in range(found.type.num_fields)}
    return {name: _read(name, text) for name, text in texts.items() if name not in ("a", "A", "Z")}


def _read(name: str, texts: pa.Array) -> Numbers:
    """What a directive says, as a number: of names their place in the year, of a zone seconds ahead of UTC."""
    if name in ("b", "B"):
        months = pc.index_in(pc.utf8_slice_codeunits(pc.utf8_lower(texts), 0, 3), pa.array(MONTHS))
        return _numbers(months) + 1
    if name == "p":
        return _numbers(pc.equal(pc.utf8_lower(texts), "pm").cast(pa.int64()))
    if name == "z":
        return _ahead_s(texts)
    return (
        _numbers(pc.utf8_rpad(texts, 9, "0").cast(pa.int64())) // 1000
        if name == "f"
        else _numbers(pc.utf8_ltrim_whitespace(texts))
    )


def _numbers(values: pa.Array) -> Numbers:
    return np.asarray(values.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _ahead_s(texts: pa.Array) -> Numbers:
    """`+01:30`, `+0130`, `+01` or `Z`."""
    plain = pc.replace_substring(pc.if_else(pc.equal(pc.utf8_upper(texts), "Z"), "+00", texts), ":", "")
    digits = _numbers(pc.utf8_rpad(pc.utf8_slice_codeunits(plain, 1), 6, "0"))
    seconds = digits // 10_000 * 3600 + digits // 100 % 100 * 60 + digits % 100
    return seconds * np.where(np.asarray(pc.starts_with(plain, "-")), -1, 1)


def _days(fields: Mapping[str, Numbers]) -> Numbers:
    """Days since 1970. A day or a month that the format does not say is the first. Raises ValueError for no day."""
    year = fields["Y"] if "Y" in fields else fields["y"] + np.where(fields["y"] < 69, 2000, 1900)
    first = np.ones_like(year)
    month = fields.get("m", fields.get("b", fields.get("B", first))) - 1
    day = fields.get("d", fields.get("j", first)) - 1
    begin, months = (year - 1970) * 12 + month, 12 if "j" in fields else 1
    late = day >= (365 if "j" in fields else 28)  # which not all months, or years, have
    lengths = _dates(begin[late] + months) - _dates(begin[late])
    if len(year) and ((day[late] >= lengths).any() or year.min() < 1):
        raise ValueError("no such day")
    return _dates(begin) + day


def _dates(months: Numbers) -> Numbers:
    """Days since 1970 of the first days of months since then."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _in_day_us(fields: Mapping[str, Numbers]) -> Numbers | int:
    if "I" in fields:
        fields = {**fields, "H": fields["I"] % 12 + 12 * fields["p"]}
    passed: Any = sum(fields[name] * us for name, us in _PARTS_US if name in fields)
    in_day_us: Numbers | int = passed - fields["z"] * 1_000_000 if "z" in fields else passed
    return in_day_us
