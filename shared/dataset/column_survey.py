"""What is worth knowing of a dataset's columns before a run: nulls, and that some say nothing at first."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.nulls import count_nulls, nulls_of
from shared.dataset.table import TableDataset

_LONG_ROWS, _LONG = 20, 0.1  # and this share of the rows, for a column that begins with one value
_LATE, _MANY = 0.1, 0.05  # shares of the rows: after which a category comes late, and how many are worth a line
_MOST_CATEGORIES, _MOST_NAMED = 10_000, 5


class ColumnSurvey:
    """One column, as its rows are read."""

    def __init__(self) -> None:
        self.rows = self.nulls = 0
        self.first: object = None  # the first value that is there
        self.same_rows: int | None = None  # so many rows hold no other value from the start on; None: all
        self.categories: dict[str, tuple[int, int]] = {}  # text → its first row, and how many there are

    def look_at(self, values: pa.ChunkedArray) -> None:
        """The next rows."""
        self.nulls += count_nulls(values)
        if self.same_rows is None and kind_of(values.type) in ("whole number", "number"):
            self._compare(values)
        elif kind_of(values.type) == "text" and len(self.categories) <= _MOST_CATEGORIES:
            self._count(values)
        self.rows += len(values)

    def _compare(self, values: pa.ChunkedArray) -> None:
        there = pc.invert(nulls_of(values))
        if self.first is None:
            place = pc.index(there, True).as_py()
            self.first = values[place].as_py() if place >= 0 else None
        if self.first is not None:
            row = pc.index(pc.and_(there, pc.not_equal(values, self.first)), True).as_py()
            self.same_rows = self.rows + row if row >= 0 else None

    def _count(self, values: pa.ChunkedArray) -> None:
        for one in pc.value_counts(values.drop_null()).to_pylist():
            text = one["values"]
            first, rows = self.categories.get(text) or (self.rows + pc.index(values, text).as_py(), 0)
            self.categories[text] = (first, rows + one["counts"])

    @property
    def late(self) -> dict[str, int]:
        """Text → its rows, of the categories that first come when many rows are over; the commonest first.

        Empty where there are more than were counted.
        """
        if len(self.categories) > _MOST_CATEGORIES:
            return {}
        found = {text: rows for text, (first, rows) in self.categories.items() if first >= _LATE * self.rows}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def survey(dataset: TableDataset) -> dict[str, ColumnSurvey]:
    """Features and label, in one reading. Raises DataError."""
    columns = {name: ColumnSurvey() for name in (*dataset.feature_columns, dataset.config.label)}
    for _, rows in dataset.batches(list(columns), 0, dataset.rows):
        for name, one in columns.items():
            one.look_at(rows.column(name))
    return columns


def remarks(dataset: TableDataset) -> Iterator[str]:
    """A line for each column with nulls, that long says nothing, or whose categories come late. Raises DataError."""
    for name, one in survey(dataset).items():
        if one.nulls:
            yield f"{name}: {one.nulls:,} of {one.rows:,} rows are null; {_becomes(dataset, name)}"
        same_rows = one.rows if one.same_rows is None else one.same_rows
        if one.first is not None and name != dataset.config.label and same_rows >= max(_LONG_ROWS, _LONG * one.rows):
            yield (
                f"{name}: {one.first} in the first {same_rows:,} of {one.rows:,} rows; a model learns nothing of a "
                "column until it varies"
            )
        late = one.late if name != dataset.config.label and dataset.config.text is None else {}
        if one.rows >= _LONG_ROWS and sum(late.values()) > _MANY * one.rows:
            commonest = ", ".join(f"{text!r} {count:,}" for text, count in list(late.items())[:_MOST_NAMED])
            yield (
                f"{name}: {sum(late.values()):,} of {one.rows:,} rows have a category that first comes when a tenth of "
                f"the rows is over: {commonest}; a model that goes on from one before it does not know it"
            )


def _becomes(dataset: TableDataset, name: str) -> str:
    """What is done with a column's nulls; where they are refused, reading them has failed."""
    config = dataset.config
    if name == config.label:
        return "they are neither selected nor scored"
    if config.image is not None:
        return "such an image is black"
    if config.text is not None:
        return "such a text is empty"
    zero = kind_of(dataset.schema.field(name).type) == "text"
    becomes = "all zero, as an unknown category" if zero else "the mean of the training set that fits the encoder"
    return f"a null becomes {becomes}" + (", and is a feature of its own" if config.nulls.indicator else "")
