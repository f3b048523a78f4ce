"""Columns that look wrong: leaks, indices, identifiers, and what a model cannot learn from. Sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from shared.dataset.survey.column import MOST_TEXTS, ColumnSurvey
from shared.dataset.survey.distinct import Uniqueness
from shared.dataset.survey.label_suspicions import label_suspicions
from shared.dataset.survey.survey import Survey
from shared.printable import printable
from shared.timestamps import format_timestamp

_ROWS_TO_JUDGE = 20
_LONG = 0.1  # share of the rows, for a column that begins with one value
_MANY_LATE = 0.05  # share of the rows with a late category that is worth a line
_MANY_CATEGORIES = 1_000
_MOST_NAMED = 5
_LONGEST_SHOWN = 40  # characters of a text
_INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+|")


def suspicions(found: Survey) -> Iterator[str]:
    """A sentence for each column and what it is suspected of. None of it keeps a run from starting."""
    label, rows = found.config.label, found.label.known
    if rows >= _ROWS_TO_JUDGE and not found.label.varies:
        only = f"{label}: the label is {found.label.first} in all {rows:,} rows that have one"
        yield f"{only}, so there is nothing to learn."
    names = found.dataset.feature_columns if found.is_table else ()
    are_numbers = {name for name in (label, *names) if _are_numbers(found.columns[name])}
    for name in (one for one in (label, *names) if one in are_numbers):
        yield _as_number(found, name)
    for name in names:
        seen = [*_as_index(found, name), *_as_leak(found, name)]
        seen += _as_category(found.columns[name]) if name not in are_numbers else ()
        if seen:
            yield f"{printable(name) or 'a column without a name'}: {'; '.join(seen)}. {_remedy(found)}"
    yield from label_suspicions(found)
    yield from _later_columns(found)
    for name in (label, *names):
        yield from _infinite(found, name)
    for name in (one for one in names if not (_by_default(found) and one in found.folders)):
        yield from _constant_at_first(name, found.columns[name])
        yield from _late(name, found.columns[name]) if name not in are_numbers else ()


def _by_default(found: Survey) -> bool:
    """Whether columns are features without anybody saying so."""
    return found.config.features is None


def _remedy(found: Survey) -> str:
    if not _by_default(found):
        return "Take it out of `features:` in config.yaml unless it is meant."
    return "All columns are features unless `features:` in config.yaml lists those that are to be used."


def _as_index(found: Survey, name: str) -> Iterator[str]:
    """What counts rows, or tells them apart."""
    column, by_default = found.columns[name], _by_default(found)
    if _INDEX.fullmatch(name):
        yield "named as pandas names the index of a table"
    if by_default and name in found.folders:
        yield "stands in the names of folders, and became a feature"
    elif by_default and "time" in column.kinds:
        yield "holds times, and became a feature, as days since 1970"
    if column.known < _ROWS_TO_JUDGE:
        return
    if column.unique and not _are_numbers(column):
        compared = f" (the first {Uniqueness.kept_rows:,} rows were compared with all)" if _many(column) else ""
        yield f"unique per row, looks like an identifier{compared}"
    if name in found.copies:
        yield "equals the timestamp in every row"
    elif column.grows and column.distinct.count not in (1, 2):
        yield "only grows from row to row, so that later rows leave the range that a model has seen"


def _many(column: ColumnSurvey) -> bool:
    return column.known > Uniqueness.kept_rows


def _as_leak(found: Survey, name: str) -> Iterator[str]:
    """What gives the label away."""
    like = found.columns[name].like_label
    if like.rows < _ROWS_TO_JUDGE or not found.label.varies:
        return
    if like.equal:
        yield "equals the label in every row, a leak"
    elif like.one_to_one:
        yield "goes with the label one to one, a leak"


def _as_category(column: ColumnSurvey) -> Iterator[str]:
    """Texts that make a model wide, or cannot be encoded."""
    if "text" not in column.kinds:
        return
    count = column.distinct.count
    if count is None:
        yield f"more than {MOST_TEXTS:,} different texts, and a training set with as many is refused"
    elif count > _MANY_CATEGORIES:
        yield f"{count:,} different texts, each an input of its own"


def _are_numbers(column: ColumnSurvey) -> bool:
    """Whether texts look as if they were meant as numbers."""
    return column.number_texts.rows >= _ROWS_TO_JUDGE and column.number_texts.look_like_numbers


def _as_number(found: Survey, name: str) -> str:
    """Numbers that nobody reads as such, how they are written, and where something else stands."""
    texts = found.columns[name].number_texts
    becomes = "a class" if name == found.config.label else "a category"
    written = f" with {' and '.join(texts.writings)}, such as {_short(texts.example or '')}," if texts.writings else ""
    told = f"{printable(name)}: {texts.numbers:,} of {texts.rows:,} texts are numbers{written or ','} and each becomes"
    told, remedies = f"{told} {becomes}", []
    if texts.writings:
        remedies.append("write them with digits and a decimal point alone")
    if texts.first_other is not None:
        told += (
            f"; the first other text is {_short(texts.first_other.text)}, {_place(found, name, texts.first_other.key)}"
        )
        remedies.append("write nothing where there is no number: an empty cell in CSV, else null")
    remedies = remedies or ["write them as numbers"]
    return f"{told}. If they are meant as numbers, {'; and '.join(remedies)}."


def _place(found: Survey, name: str, key: int) -> str:
    if found.labels is not None and name == found.config.label:
        return f"that of key {key:,}"
    entry = next(one for one in found.dataset.entries if key < one.stop_key)
    return f"in row {key - entry.first_key + entry.first_row + 1:,} of {entry.file}"


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def _infinite(found: Survey, name: str) -> Iterator[str]:
    column = found.columns[name]
    if column.first_infinite is not None:
        where = _place(found, name, column.first_infinite)
        yield (
            f"{printable(name)}: {column.moments.infinite:,} of {column.rows:,} rows are infinite or beyond 1e150, at "
            f"which a training ends, the first {where}. Mend them, or leave the column out."
        )


def _constant_at_first(name: str, column: ColumnSurvey) -> Iterator[str]:
    same_rows = column.same_rows or 0
    if same_rows >= max(_ROWS_TO_JUDGE, _LONG * column.rows):
        yield (
            f"{printable(name)}: {_first_rows(column, same_rows)} of {column.rows:,} rows; a model learns nothing of a "
            "column until it varies."
        )


def _first_rows(column: ColumnSurvey, same_rows: int) -> str:
    """What stands there."""
    first = column.first
    if column.kinds <= {"time", "nothing"} and isinstance(first, int):
        with suppress(OverflowError):  # beyond the years 1 to 9999
            first = format_timestamp(first)
    return f"{'null or ' if column.begins_with_null else ''}{first} in the first {same_rows:,}"


def _later_columns(found: Survey) -> Iterator[str]:
    """What nobody reads, as the first file says which columns are features."""
    files = len({entry.file for entry in found.dataset.entries if entry.rows})
    for name, (first, count) in found.later.items():
        if _by_default(found) and found.is_table:
            yield (
                f"{printable(name) or 'a column without a name'} is in {count:,} of {files:,} files, first in {first}, "
                "and is no feature: the first file says which columns are. If it is to be one, write it in all files."
            )


def _late(name: str, column: ColumnSurvey) -> Iterator[str]:
    is_category = "text" in column.kinds and column.rows >= _ROWS_TO_JUDGE and not column.unique
    late = column.late if is_category else {}
    rows = sum(late.values())
    if rows > _MANY_LATE * column.rows:
        commonest = ", ".join(f"{text!r} {count:,}" for text, count in list(late.items())[:_MOST_NAMED])
        yield (
            f"{printable(name)}: {rows:,} of {column.rows:,} rows have a category that first comes when a tenth of the "
            f"rows is over: {commonest}; a model that goes on from one before it does not know it, unless "
            "`training.encoder` is grow."
        )
