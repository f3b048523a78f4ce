"""Rows of text files in pieces that end at fixed rows of their file, in however many pieces it was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from shared.dataset.column_kinds import kind_of

_NUMBERS = ("whole number", "number")


class Read(NamedTuple):
    """Rows as a format gave them: text a block at a time, counted from where the reading began."""

    key: int
    rows: pa.Table
    file: str
    row: int  # of the file, at which they begin
    is_text: bool


def evenly(reading: Iterator[Read], batch_rows: int) -> Iterator[tuple[int, pa.Table]]:
    """(first key, rows) of the same rows; those of text end at multiples of `batch_rows` rows of their file.

    Sums that are made piece by piece are then the same to the last bit, whatever blocks and pieces it was read in.
    """
    waiting: list[Read] = []
    for read in reading:
        if waiting and not _go_together(waiting[-1], read):
            yield _together(waiting)
            waiting = []
        if not read.is_text:
            yield read.key, read.rows
            continue
        for part in _cut(read, batch_rows):
            waiting.append(part)
            if (part.row + part.rows.num_rows) % batch_rows == 0:
                yield _together(waiting)
                waiting = []
    if waiting:
        yield _together(waiting)


def _cut(read: Read, batch_rows: int) -> Iterator[Read]:
    start = 0
    while start < read.rows.num_rows:
        row = read.row + start
        part = read.rows.slice(start, batch_rows - row % batch_rows)
        yield read._replace(key=read.key + start, rows=part, row=row)
        start += part.num_rows


def _go_together(before: Read, read: Read) -> bool:
    """Whether rows follow each other in one file, and their columns can stand in one table."""
    return (
        before.file == read.file
        and before.row + before.rows.num_rows == read.row
        and all(_fit(one.type, other.type) for one, other in zip(before.rows.schema, read.rows.schema, strict=True))
    )


def _fit(one: pa.DataType, other: pa.DataType) -> bool:
    return one == other or (kind_of(one) in _NUMBERS and kind_of(other) in _NUMBERS)


def _together(waiting: list[Read]) -> tuple[int, pa.Table]:
    tables = [read.rows for read in waiting]
    schema = tables[0].schema
    for index, field in enumerate(schema):
        if any(table.schema.field(index).type != field.type for table in tables):
            schema = schema.set(index, pa.field(field.name, pa.float64()))
    alike = [table if table.schema == schema else table.cast(schema, safe=False) for table in tables]
    return waiting[0].key, alike[0] if len(alike) == 1 else pa.concat_tables(alike).combine_chunks()
