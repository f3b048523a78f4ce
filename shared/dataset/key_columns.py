"""Columns by which rows find their labels: whether those of one table can equal those of the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from shared.dataset.column_kinds import kind_of
from shared.dataset.table import TableDataset

_NUMBERS = {"whole number", "number"}
_USABLE = {*_NUMBERS, "text", "time"}


class Other(NamedTuple):
    """The key columns of the other table; of none as long as that has no rows."""

    what: str  # it is, for people
    columns: pa.Schema


def other(table: TableDataset, keys: tuple[str, ...], what: str) -> Other:
    """What a table has of the key columns."""
    names = table.schema.names
    return Other(what, pa.schema([table.schema.field(name) for name in keys if names.count(name) == 1]))


def unlike_keys(own: TableDataset, file: str, beside: Other) -> Iterator[str]:
    """A sentence for each key column that cannot equal the other table's."""
    for field in beside.columns:
        if own.schema.names.count(field.name) != 1:
            continue
        here = own.schema.field(field.name).type
        if not _can_equal(here, field.type):
            yield (
                f"dataset {own.config.name}: {field.name} is {here} in {file}, but {field.type} among {beside.what}, "
                f"so that no row would find its label; {_remedy(here, field.type)}."
            )


def unusable_keys(own: TableDataset) -> Iterator[str]:
    """A sentence for each key column, of rows or of labels, by which nothing can be found."""
    config = own.config
    keys = own.feature_columns if config.holds_labels else () if config.labels is None else config.labels.key
    for name in keys:
        found = own.schema.field(name).type
        if kind_of(found) not in (*_USABLE, "nothing"):
            start = f"dataset {own.config.name}: {name}, by which rows find their labels, is {found}"
            yield f"{start}; numbers, texts and times can be used."


def _remedy(here: pa.DataType, there: pa.DataType) -> str:
    """What to do; of digits in a CSV people do not know that they are numbers."""
    if {kind_of(here), kind_of(there)} - _NUMBERS == {"text"}:
        return "give it one type in both. In a CSV digits are numbers: write texts there as JSON lines or Parquet"
    return "give it one type in both"


def _can_equal(one: pa.DataType, other_type: pa.DataType) -> bool:
    kinds = {kind_of(one), kind_of(other_type)}
    return len(kinds - {"nothing"}) <= 1 or kinds <= _NUMBERS | {"nothing"}
