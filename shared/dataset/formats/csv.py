"""CSV, also compressed: read from its first line each time, as nothing says where a row begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

_GZIP = b"\x1f\x8b"  # what a compressed file begins with


class Csv:
    """`*.csv`, `*.csv.gz`."""

    title = "CSV"
    suffixes = (".csv", ".csv.gz")

    def schema(self, file: Any) -> pa.Schema:
        """Names from the first line, types as the first block of lines has them."""
        return pa_csv.open_csv(_plain(file)).schema

    def count_rows(self, file: Any) -> int:
        """All lines are read."""
        return sum(batch.num_rows for batch in pa_csv.open_csv(_plain(file)))

    def batches(
        self, file: Any, columns: Sequence[str], first_row: int, batch_rows: int, types: Mapping[str, pa.DataType]
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Pieces as large as a block of the file; every column has the type that it has in the first file."""
        row = 0
        options = pa_csv.ConvertOptions(include_columns=list(columns), column_types=dict(types))
        for batch in pa_csv.open_csv(_plain(file), convert_options=options):
            yield row, batch
            row += batch.num_rows


def _plain(file: Any) -> Any:
    """The file, unpacked on the way if it is compressed."""
    start = file.read(len(_GZIP))
    file.seek(0)
    return pa.CompressedInputStream(file, "gzip") if start == _GZIP else file
