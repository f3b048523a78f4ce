"""CSV, also compressed: read from its first line each time, as nothing says where a row begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from shared.dataset.column_kinds import kind_of

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
        """Pieces as large as a block of the file. Columns have the types of the first file, or wider numbers."""
        row = 0
        for batch in self._open(file, columns, types):
            yield row, batch
            row += batch.num_rows

    def _open(self, file: Any, columns: Sequence[str], types: Mapping[str, pa.DataType]) -> pa_csv.CSVStreamingReader:
        options = pa_csv.ConvertOptions(include_columns=list(columns), column_types=_roomy(types))
        try:
            return pa_csv.open_csv(_plain(file), convert_options=options)
        except pa.ArrowInvalid:  # perhaps of a fraction, where the first file has whole numbers
            file.seek(0)
            own = self.schema(file)
            file.seek(0)
            options.column_types = _roomy({name: _wider(first, own.field(name).type) for name, first in types.items()})
            return pa_csv.open_csv(_plain(file), convert_options=options)


def _roomy(types: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
    """Whole numbers of any size; a column that had only nulls may hold anything."""
    small = (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32())
    return {name: pa.int64() if one in small else one for name, one in types.items() if not pa.types.is_null(one)}


def _wider(first: pa.DataType, own: pa.DataType) -> pa.DataType:
    """The type that a file's own first lines have, where both are of numbers and the first file's are whole."""
    return own if kind_of(first) == "whole number" and kind_of(own) in ("whole number", "number") else first


def _plain(file: Any) -> Any:
    """The file, unpacked on the way if it is compressed."""
    start = file.read(len(_GZIP))
    file.seek(0)
    return pa.CompressedInputStream(file, "gzip") if start == _GZIP else file
