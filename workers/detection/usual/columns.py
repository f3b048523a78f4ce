"""Whether a column is what it must be, and what it usually is: nulls, numbers, texts, and whether it varies at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.nulls import count_nulls, nulls_of
from shared.errors import DataError
from workers.detection.usual.expected import FEW, Expected, Finding, many, percent

Numbers = npt.NDArray[np.float64]

_PARTS = 10  # of a stretch, in each of which a column varies that is expected to do so
_EDGES = (0.001, 0.999)  # quantiles at which a column's usual range ends: beyond are single mistakes
_MOSTLY = 0.5  # the share of rows above which something is no matter of a few
_SEVERAL = 8  # values, of which fewer say nothing of how large others may be
_SEVERAL_STRETCHES = 3  # in which a number never was negative that may not be so
_AS_FAR = 1.25  # times, by which numbers of another sign are in size as they were
_NAMED = 3  # categories in a sentence


class Values:
    """The values of a column in one stretch; NaN is a null."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        self.kind = kind_of(column.type)
        self.rows = len(column)
        self.nulls = count_nulls(column) / max(len(column), 1)
        self.there = column.filter(pc.invert(nulls_of(column)))

    @cached_property
    def numbers(self) -> Numbers:
        """As float64, (n,), of those that are there."""
        return np.asarray(self.there.cast(pa.float64(), safe=False).to_numpy(), np.float64)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each value comes, as a text."""
        said = pc.value_counts(self.there.cast(pa.string()).combine_chunks())
        return {one["values"]: one["counts"] for one in said.to_pylist()}

    @cached_property
    def distinct(self) -> int:
        """How many different values there are; of lists, as many as there are."""
        return len(self.there) if pa.types.is_nested(self.there.type) else len(self.there.unique())

    def varies_in_each_part(self) -> bool:
        """Whether it has two values in each tenth of the rows: then one value in so many rows is no matter of time.

        Weather is the same for hours, and a weekday for a day.
        """
        if self.distinct < 2 or pa.types.is_nested(self.there.type) or len(self.there) < FEW * _PARTS:
            return False
        codes = self.there.combine_chunks().dictionary_encode().indices.to_numpy()
        return all(np.ptp(part) > 0 for part in np.array_split(codes, _PARTS))

    @property
    def is_of_words(self) -> bool:
        """Whether it has categories."""
        return self.kind == "text"

    @property
    def is_of_numbers(self) -> bool:
        """Whether it can be large or small."""
        return self.kind in ("whole number", "number")


def column_findings(
    name: str,
    now_column: pa.ChunkedArray,
    usual_columns: Sequence[pa.ChunkedArray],
    expected: Expected,
    *,
    words: bool = True,
) -> list[Finding]:
    """What is wrong with a column; `words`: whether texts are categories. Raises DataError for bounds of texts."""
    now, usual = Values(now_column), [Values(one) for one in usual_columns]
    found = null_findings(name, now, usual, expected)
    given = given_findings(name, now, expected)
    usual = [one for one in usual if len(one.there) >= FEW]
    if len(now.there) >= FEW and usual:
        constant = constant_findings(name, now, usual) if expected.compares("constant", name) else []
        found += constant
        if now.is_of_numbers and not given and not constant and expected.compares("ranges", name):
            found += _as_large_as_usual(name, now, usual, expected)
        if now.is_of_words and words and not given and expected.compares("categories", name):
            found += _usual_categories(name, now, usual, expected)
    return found + given


def null_findings(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Too many values that are not there."""
    nulls = expected.nulls
    most = nulls["columns"].get(name, nulls["most"])
    told = f"column `{name}` is null in {percent(now.nulls)} of {many(now.rows)}"
    if most is not None:
        return [_finding("nulls", name, f"{told}, at most {percent(most)} are expected")] if now.nulls > most else []
    if not usual or not expected.compares("nulls", name):
        return []
    before = max(one.nulls for one in usual)
    if now.nulls <= before + nulls["rise"]:
        return []
    limit = percent(min(before + nulls["rise"], 1))
    return [_finding("nulls", name, f"{told}, usually in {percent(before)}; at most {limit} are expected")]


def given_findings(name: str, now: Values, expected: Expected) -> list[Finding]:
    """Beyond bounds that a person gave, or none of the texts that one has named."""
    bounds, texts = expected.ranges["columns"].get(name), expected.categories["columns"].get(name)
    found = []
    if bounds is not None and len(now.there):
        if not now.is_of_numbers:
            raise DataError(f"trigger.expect.ranges.columns names {name}, which has no numbers but {now.kind}s.")
        least, most = (np.inf * sign if one is None else one for one, sign in zip(bounds, (-1, 1), strict=True))
        outside = _outside(now.numbers, least, most)
        if outside > expected.ranges["outside"]:
            found.append(_finding("ranges", name, _told_outside(name, now, outside, (least, most), expected)))
    if texts is not None and len(now.there):
        if not now.is_of_words:
            raise DataError(f"trigger.expect.categories.columns names {name}, which has no texts but {now.kind}s.")
        new = _new_share(now.counts, set(texts))
        if new > expected.categories["new"]:
            found.append(_finding("categories", name, _told_new(name, now, set(texts), new, expected, "not expected")))
    return found


def constant_findings(name: str, now: Values, usual: Sequence[Values]) -> list[Finding]:
    """One value in all rows, although it usually varies all the time."""
    most_rows = max(len(one.there) for one in usual)
    if now.distinct != 1 or len(now.there) < 2 * most_rows / _PARTS:
        return []
    if not all(one.varies_in_each_part() for one in usual):
        return []
    told = f"column `{name}` is {now.there[0].as_py()!r} in all of {many(len(now.there))}; it usually varies"
    return [_finding("constant", name, told)]


def _as_large_as_usual(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Numbers beyond the usual range made wider, below zero, or so small that their unit must be another.

    Where a column did not vary, nothing is said of its range.
    """
    before = [one.numbers for one in usual if one.is_of_numbers and one.distinct > 1]
    if not before:
        return []
    least, most = _wide_range(before, expected.ranges["widen"])
    outside, allowed = _outside(now.numbers, least, most), max(_outside(one, least, most) for one in before)
    if outside > allowed + expected.ranges["outside"]:
        return [_finding("ranges", name, _told_outside(name, now, outside, (least, most), expected))]
    if _lost_its_sign(now, before):
        negative = percent(float((now.numbers < 0).mean()))
        return [
            _finding(
                "ranges", name, f"column `{name}` is below 0 in {negative} of {many(len(now.there))}; it never was"
            )
        ]
    sizes = [size for one in before if (size := _size(one)) is not None]
    size, part = _size(now.numbers), expected.ranges["shrink"]
    if size is not None and now.distinct >= _SEVERAL and sizes and size < part * min(sizes):
        told = f"numbers of column `{name}` are about {size:.3g} in size on {many(len(now.there))}, usually about"
        told += f" {min(sizes):.3g}; at least {part * min(sizes):.3g} is expected"
        return [_finding("ranges", name, told)]
    return []


def _lost_its_sign(now: Values, before: Sequence[Numbers]) -> bool:
    """Whether what never was negative is so in most rows; with fractions, in all, and as far from 0 as it usually is.

    Else it may be a temperature.
    """
    if any((one < 0).any() for one in before):
        return False
    if now.kind == "whole number":
        return bool((now.numbers < 0).mean() > _MOSTLY)
    size, sizes = _size(now.numbers), [size for one in before if (size := _size(one)) is not None]
    if (now.numbers > 0).any() or now.distinct < _SEVERAL or len(before) < _SEVERAL_STRETCHES or size is None:
        return False
    return len(sizes) > 0 and min(sizes) / _AS_FAR <= size <= max(sizes) * _AS_FAR


def _wide_range(before: Sequence[Numbers], widen: float) -> tuple[float, float]:
    """Where numbers may lie."""
    ends = np.array([np.quantile(one, _EDGES, method="nearest") for one in before])
    least, most = float(ends[:, 0].min()), float(ends[:, 1].max())
    margin = widen * max(most - least, abs(least), abs(most))
    return least - margin, most + margin


def _usual_categories(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Texts that never came before. Where new ones come all the time, as names do, as many may be new as usual; and
    where all were one, it says nothing of what may follow: a year, a version.
    """
    known = set[str]().union(*(one.counts for one in usual))
    if len(known) < 2:
        return []
    new, as_a_rule = _new_share(now.counts, known), _new_as_a_rule(usual)
    if new <= as_a_rule + expected.categories["new"]:
        return []
    usually = "not usual" if as_a_rule == 0 else f"new; usually {percent(as_a_rule)} are"
    return [_finding("categories", name, _told_new(name, now, known, new, expected, usually))]


def _new_as_a_rule(usual: Sequence[Values]) -> float:
    """The largest share of texts that are new in a stretch, or in the second half of one."""
    known, shares = set[str](), [0.0]
    for one in usual:
        half = len(one.there) // 2
        first, second = Values(one.there.slice(0, half)), Values(one.there.slice(half))
        shares.append(_new_share(second.counts, {*known, *first.counts}))
        if known:
            shares.append(_new_share(one.counts, known))
        known |= set(one.counts)
    return max(shares)


def _told_new(name: str, now: Values, known: set[str], new: float, expected: Expected, what: str) -> str:
    commonest = sorted((text for text in now.counts if text not in known), key=lambda text: -now.counts[text])
    named = ", ".join(map(repr, commonest[:_NAMED])) + (", …" if len(commonest) > _NAMED else "")
    most = percent(expected.categories["new"])
    told = f"column `{name}` has texts in {percent(new)} of {many(len(now.there))} that are {what} ({named})"
    return f"{told}; at most {most} may be"


def _new_share(counts: dict[str, int], known: set[str]) -> float:
    new = sum(count for text, count in counts.items() if text not in known)
    return new / max(sum(counts.values()), 1)


def _told_outside(name: str, now: Values, outside: float, bounds: tuple[float, float], expected: Expected) -> str:
    least, most = bounds
    where = f"beyond {least:.4g} to {most:.4g}"
    if not np.isfinite(most):
        where = f"below {least:.4g}"
    elif not np.isfinite(least):
        where = f"above {most:.4g}"
    low, high = float(now.numbers.min()), float(now.numbers.max())
    told = f"column `{name}` is {where} in {percent(outside)} of {many(len(now.there))} (it is {low:.4g} to {high:.4g})"
    return f"{told}; at most {percent(expected.ranges['outside'])} may be"


def _outside(numbers: Numbers, least: float, most: float) -> float:
    return float(((numbers < least) | (numbers > most)).mean())


def _size(numbers: Numbers) -> float | None:
    """How far numbers that are not 0 are from it; None: there are few."""
    there = np.abs(numbers[numbers != 0])
    return float(np.median(there)) if len(there) >= FEW else None


def _finding(check: str, column: str, sentence: str) -> Finding:
    return Finding(check=check, column=column, sentence=sentence)
