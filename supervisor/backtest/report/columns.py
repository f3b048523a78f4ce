"""Columns of numbers beside names: one table, or several below each other where a terminal is too narrow for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

_WHOLE_NAME, _LONGEST_NAME = 29, 44  # letters: shorter names are not broken


class Column(NamedTuple):
    """A number of each row."""

    title: str
    cells: Sequence[str]
    goes_on: bool = False  # with the column before it, from which it is not parted

    @property
    def width(self) -> int:
        """With the space behind it."""
        return 1 + max(map(len, (*self.title.split("\n"), *self.cells)))


class Row(NamedTuple):
    """What the numbers are of."""

    name: str
    style: str | None = None
    ends_section: bool = False


def tables(title: str, rows: Sequence[Row], columns: Sequence[Column], width: int) -> Iterator[Table]:
    """All columns, as many side by side as fit beside the names: no number is ever cut."""
    longest = min(max((len(row.name) for row in rows), default=0), _LONGEST_NAME)
    whole = sum(column.width + 1 for column in columns)
    name_width = max(min(longest, _WHOLE_NAME), min(longest, width - whole - 2), len(title))
    part: list[Column] = []
    for group in _groups(columns):
        if part and name_width + 2 + sum(one.width + 1 for one in (*part, *group)) > width:
            yield _table(title, rows, part, name_width)
            part = []
        part += group
    yield _table(title, rows, part, name_width)


def _groups(columns: Sequence[Column]) -> list[list[Column]]:
    found: list[list[Column]] = []
    for column in columns:
        if column.goes_on:
            found[-1].append(column)
        else:
            found.append([column])
    return found


def _table(title: str, rows: Sequence[Row], columns: Sequence[Column], name_width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(title, overflow="fold", min_width=name_width, max_width=name_width)
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for number, row in enumerate(rows):
        cells = [column.cells[number] for column in columns]
        if not any(cells):  # what there is of it stands in another table
            continue
        name = Text(row.name, style="" if row.style == "bold" else row.style or "")
        table.add_row(name, *cells, style="bold" if row.style == "bold" else None, end_section=row.ends_section)
    return table
