"""The ways in which people and programs commonly write times, and which of them fit what stands in a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.time_texts import as_texts, read_texts
from shared.time_format import digits_alone, pattern

_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%Y", "%d.%m.%y", "%Y.%m.%d", "%d-%m-%Y",
    "%m-%d-%Y", "%Y-%m-%d", "%d-%m-%y", "%m-%d-%y", "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
    "%d. %b %Y", "%d/%b/%Y", "%Y %b %d", "%a %b %d %Y", "%a, %d %b %Y", "%Y%m%d",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %H:%M:%S,%f", " %I:%M %p", " %I:%M:%S %p", " %I:%M%p", ", %H:%M",
    ", %H:%M:%S", ", %I:%M %p", ", %I:%M:%S %p", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", " %H%M", " %H%M%S", "T%H%M",
    "T%H%M%S", ":%H:%M:%S",
)  # fmt: skip
_ZONES = ("", "%z", " %z", " %Z")
_OTHERS = (
    "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y", "%a %b %d %H:%M:%S %z %Y", "%Y-%m", "%m/%Y", "%m.%Y", "%b %Y",
    "%b-%y", "%H:%M %d/%m/%Y", "%H:%M %m/%d/%Y", "%H:%M:%S %d/%m/%Y", "%H:%M:%S %m/%d/%Y", "%H:%M %d.%m.%Y",
    "%H:%M:%S %d.%m.%Y",
)  # fmt: skip
_OF_DIGITS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m", "%Y")


def formats_that_fit(column: pa.ChunkedArray) -> list[str]:
    """All common formats that read each of some texts without nulls, or of whole numbers such as 20240131.

    Numbers are taken for digits of a date where the least begins with 19 or 20.
    """
    if len(column) == 0:
        return []
    if not pa.types.is_integer(column.type):
        first = str(column[0].as_py()).strip()
        return [one for one in _common(first) if _may_fit(one, first) and _fits(one, column)]
    ends = pc.min_max(column).as_py()
    fitting = (one for one in _OF_DIGITS if len(str(ends["min"])) == digits_alone(one) == len(str(ends["max"])))
    return [one for one in fitting if str(ends["min"])[:2] in ("19", "20") and _fits(one, as_texts(column, one))]


def _common(text: str) -> Iterator[str]:
    """Those that may fit a text, by how it begins."""
    dates = [one for one in _DATES if re.match(pattern(one).removesuffix("$"), text, re.ASCII)]
    yield from (date + time + zone for date in dates for time in _TIMES for zone in (_ZONES if time else ("",)))
    yield from _OTHERS
    yield from _OF_DIGITS[1:]


def _may_fit(written: str, text: str) -> bool:
    return re.fullmatch(pattern(written), text, re.ASCII) is not None


def _fits(written: str, texts: pa.ChunkedArray) -> bool:
    try:
        read_texts(texts, written)
    except (pa.ArrowException, ValueError):
        return False
    return True


def in_words(formats: Sequence[str], values: int) -> str:
    """`"%d/%m/%Y" reads all 300 values looked at`; of several that there are several."""
    looked_at = f"all {values:,} values looked at" if values > 1 else "it"
    quoted = [f'"{one}"' for one in formats]
    if len(quoted) == 1:
        return f"{quoted[0]} reads {looked_at}"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} {'both' if len(quoted) == 2 else 'all'} read {looked_at}"
