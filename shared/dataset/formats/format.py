"""What a file format is to a dataset: its files' names, their columns and rows, and reading these piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pyarrow as pa


class BadRowError(pa.ArrowInvalid):  # type: ignore[misc]
    """A row that cannot be read; `row` is 0 for the first, people count from 1."""

    def __init__(self, row: int, said: str) -> None:
        super().__init__(f"row {row + 1}: {said}")
        self.row, self.said = row, said


class Format(Protocol):
    """Works on open binary files. Methods raise what reading raises: pyarrow's errors, KeyError, OSError.

    A format of text may have `options`, the keys of a dataset (delimiter, encoding) that its constructor takes; and
    where its files may grow, `has_names`, `grows`, `records` and `part`, as CSV has them. One whose rows have keys of
    their own says so by `rows_may_lack_columns = True`: what all rows of a file lack are nulls. One that begins to read
    before the first row that is wanted may say by `together`, as Parquet's does, which rows get the same pieces.
    """

    title: ClassVar[str]  # for people
    suffixes: ClassVar[tuple[str, ...]]  # of file names, in any case

    def schema(self, file: Any) -> pa.Schema:
        """Column names and types."""
        ...

    def count_rows(self, file: Any) -> int:
        """How many rows there are."""
        ...

    def batches(
        self, file: Any, columns: Sequence[str], first_row: int, batch_rows: int, types: Mapping[str, pa.DataType]
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Pieces with the number of their first row, in order; from `first_row` on, or from somewhat before it.

        `types`: of the columns in the dataset's first file, for formats whose files do not say their own. Numbers that
        are wider here (a fraction among whole ones, int64 after int32) come as they are here.
        """
        ...
