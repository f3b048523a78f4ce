"""Whether a column is what it must be, and what it usually is: nulls, numbers, texts, and whether it varies at all."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from workers.detection.usual.categories import given_category_findings, usual_category_findings
from workers.detection.usual.expected import FEW, Expected, Finding, many, percent
from workers.detection.usual.ranges import given_range_findings, usual_range_findings
from workers.detection.usual.values import PARTS, Values


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
            found += usual_range_findings(name, now, usual, expected)
        if now.is_of_words and words and not given and expected.compares("categories", name):
            found += usual_category_findings(name, now, usual, expected)
    return found + given


def null_findings(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Too many values that are not there."""
    nulls = expected.nulls
    most = nulls["columns"].get(name, nulls["most"])
    told = f"column `{name}` is null in {percent(now.nulls)} of {many(now.rows)}"
    if most is not None:
        told += f", at most {percent(most)} are expected"
        return [Finding(check="nulls", column=name, sentence=told)] if now.nulls > most else []
    if not usual or not expected.compares("nulls", name):
        return []
    before = max(one.nulls for one in usual)
    if now.nulls <= before + nulls["rise"]:
        return []
    limit = percent(min(before + nulls["rise"], 1))
    told += f", usually in {percent(before)}; at most {limit} are expected"
    return [Finding(check="nulls", column=name, sentence=told)]


def given_findings(name: str, now: Values, expected: Expected) -> list[Finding]:
    """Beyond bounds that a person gave, or other texts than those named. Raises DataError for bounds of texts."""
    return given_range_findings(name, now, expected) + given_category_findings(name, now, expected)


def constant_findings(name: str, now: Values, usual: Sequence[Values]) -> list[Finding]:
    """One value in all rows, although it usually varies all the time."""
    most_rows = max(len(one.there) for one in usual)
    if now.distinct != 1 or len(now.there) < 2 * most_rows / PARTS:
        return []
    if not all(one.varies_in_each_part() for one in usual):
        return []
    told = f"column `{name}` is {now.there[0].as_py()!r} in all of {many(len(now.there))}; it usually varies"
    return [Finding(check="constant", column=name, sentence=told)]
