"""Parquet: columns are read alone, from the row group on that holds the first row that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


class Parquet:
    """`*.parquet`."""

    title = "Parquet"
    suffixes = (".parquet",)

    def schema(self, file: Any) -> pa.Schema:
        """What the file's footer says."""
        return pq.ParquetFile(file).schema_arrow

    def count_rows(self, file: Any) -> int:
        """What the file's footer says."""
        return int(pq.ParquetFile(file).metadata.num_rows)

    def batches(
        self, file: Any, columns: Sequence[str], first_row: int, batch_rows: int, types: Mapping[str, pa.DataType]
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Pieces of at most `batch_rows` rows."""
        parquet = pq.ParquetFile(file)
        groups, row = _groups_from(parquet, first_row)
        for batch in parquet.iter_batches(batch_size=batch_rows, row_groups=groups, columns=list(columns)):
            yield row, batch
            row += batch.num_rows

    def together(self, file: Any, first_row: int) -> tuple[int, int]:
        """The row group with a row, as (first row, row behind it): whoever begins in it gets the same pieces."""
        parquet = pq.ParquetFile(file)
        groups, start = _groups_from(parquet, first_row)
        return start, start + int(parquet.metadata.row_group(groups[0]).num_rows)


def _groups_from(parquet: pq.ParquetFile, first_row: int) -> tuple[list[int], int]:
    """Row groups from the one with `first_row` on, and the row at which they start."""
    row = 0
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        if row + rows > first_row:
            return list(range(group, parquet.num_row_groups)), row
        row += rows
    return [], row
