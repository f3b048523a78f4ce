"""Keys that are numbers in a CSV and have zeros in front there: what tells 007 from 7 is lost when it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.files import UNREADABLE, format_in, open_part
from shared.dataset.table import TableDataset
from shared.printable import printable

_FIRST_ROWS = 65_536  # of each file
_ZEROS_IN_FRONT = r"^[+-]?0\d"


def lost_zeros(dataset: TableDataset, keys: Sequence[str]) -> Iterator[str]:
    """A sentence for each key column in whose files' first rows there are such values. Raises DataError."""
    numbers = [name for name in keys if name in dataset.schema.names]
    numbers = [name for name in numbers if kind_of(dataset.schema.field(name).type) == "whole number"]
    files = {entry.file: entry for entry in reversed(dataset.entries) if entry.rows}
    for name in numbers:
        found = next((one for file in reversed(files) if (one := _first_in(dataset, file, name)) is not None), None)
        if found is not None:
            text, file = found
            yield (
                f"{printable(name)}: {text!r} in {file} is read as the number {int(text)}, so both are one key. If "
                "they are not, write such keys as texts: with a letter in front, or in JSON lines or Parquet."
            )


def _first_in(dataset: TableDataset, file: str, name: str) -> tuple[str, str] | None:
    """The first such value, and its file; None where there is none, or where numbers are no texts."""
    try:
        with open_part(file, dataset.config) as opened:
            batches = format_in(dataset.config, file).batches(opened, [name], 0, _FIRST_ROWS, {name: pa.string()})
            for row, batch in batches:
                values = batch.column(0)
                if row >= _FIRST_ROWS or not pa.types.is_string(values.type):
                    return None
                place = pc.index(pc.match_substring_regex(values, _ZEROS_IN_FRONT), True).as_py()
                if place >= 0:
                    return values[place].as_py(), file
    except UNREADABLE:  # which is told elsewhere
        return None
    return None
