"""JSON lines, also compressed: an object a line. They are parsed a block of lines at a time, which alone says types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json

from shared.dataset.column_kinds import kind_of
from shared.dataset.formats.csv import roomy
from shared.dataset.formats.format import BadRowError
from shared.dataset.formats.part import Part, can_grow
from shared.dataset.formats.records import Records
from shared.dataset.formats.unpacked import PACKED, SAY_ENCODING, unpacked

_BLOCK_BYTES = 1 << 22
_ROW = re.compile(r"\s*in row (\d+)\.?$")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Types = Mapping[str, pa.DataType]


class JsonLines:
    """`*.jsonl` and `*.ndjson`, also compressed. A key that a row lacks is a null."""

    title = "JSON lines"
    suffixes = tuple(f".{kind}{packed}" for kind in ("jsonl", "ndjson") for packed in PACKED)
    options = ("encoding",)
    has_names = False
    rows_may_lack_columns = True

    def __init__(self, encoding: str = "utf-8") -> None:
        self.encoding = encoding

    def schema(self, file: Any) -> pa.Schema:
        """Every key of any row, with a type that holds for all of them. All lines are read."""
        types: dict[str, pa.DataType] = {}
        for _, block in self._parsed(file, _inferred):
            for field in block.schema:
                types[field.name] = _both(field.name, types.get(field.name, pa.null()), field.type)
        return pa.schema(list(types.items()))

    def count_rows(self, file: Any) -> int:
        """All lines are read."""
        return sum(block.num_rows for _, block in self._parsed(file, _inferred))

    def batches(
        self, file: Any, columns: Sequence[str], first_row: int, batch_rows: int, types: Types
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Pieces as large as a block of lines. Columns have the types of the first file, or wider numbers."""
        for row, table in self._parsed(file, partial(_columns_of, columns=columns, types=types)):
            for batch in table.combine_chunks().to_batches():
                yield row, batch
                row += batch.num_rows

    def grows(self, file: Any) -> bool:
        """Whether lines may be added to the file."""
        return can_grow(file, self.encoding)

    def records(self, file: Any, first_byte: int = 0) -> Records:
        """What tells its lines apart, from a byte on at which one begins."""
        return Records(None, first_byte)

    def part(self, file: Any, first_byte: int, stop_byte: int) -> Any:
        """These bytes, as a file."""
        return Part(file, b"", first_byte, stop_byte)

    def _parsed(self, file: Any, how: Callable[[bytes], pa.Table]) -> Iterator[tuple[int, pa.Table]]:
        """The blocks, each with the number of its first row."""
        row = 0
        for block in self._blocks(file):
            try:
                _refuse_other_than_utf8(block)
                table = how(block)
            except pa.ArrowInvalid as error:
                raise _in_row(error, row) from None
            yield row, table
            row += table.num_rows

    def _blocks(self, file: Any) -> Iterator[bytes]:
        """Whole lines, some megabytes of them at a time; the last one may lack its end."""
        text, rest = unpacked(file, self.encoding), b""
        while block := bytes(text.read(_BLOCK_BYTES)):
            lines, end, begun = (rest + block).removeprefix(_BYTE_ORDER_MARK).rpartition(b"\n")
            rest = begun
            if end and lines.strip():
                yield lines
        if rest.strip():
            yield rest


def _refuse_other_than_utf8(lines: bytes) -> None:
    try:
        lines.decode()
    except UnicodeDecodeError as error:
        row = sum(1 for line in lines[: error.start].split(b"\n")[:-1] if line.strip())
        value = lines[error.start : error.end]
        raise BadRowError(row, f"{value!r} is not UTF-8; {SAY_ENCODING}") from error


def _in_row(error: pa.ArrowInvalid, first_row: int) -> pa.ArrowInvalid:
    """The error as one of a row of the file, where it is one of a row of a block; Arrow says so in its last words."""
    if isinstance(error, BadRowError):
        return BadRowError(first_row + error.row, error.said)
    found = _ROW.search(str(error))
    return BadRowError(first_row + int(found[1]), str(error)[: found.start()].rstrip(". ")) if found else error


def _columns_of(block: bytes, columns: Sequence[str], types: Types) -> pa.Table:
    """The columns as in the first file, else as they are here; of nulls where no row has them."""
    wanted = roomy(types)
    try:
        table = _table(block, wanted, others="infer" if len(wanted) < len(columns) else "ignore")
    except pa.ArrowInvalid:  # perhaps of a fraction, where the first file has whole numbers
        table = _inferred(block)
    nothing = pa.nulls(table.num_rows)
    found = {name: table.column(name) if name in table.column_names else nothing for name in columns}
    return pa.table(found)


def _inferred(block: bytes) -> pa.Table:
    return _table(block, {}, others="infer")


def _table(block: bytes, types: Types, others: str) -> pa.Table:
    schema = pa.schema(list(types.items())) if types else None
    return pa_json.read_json(
        pa.BufferReader(block),
        pa_json.ReadOptions(block_size=len(block) + 1),
        pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others),
    )


def _both(name: str, one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """A type for the values of both."""
    if {kind_of(one), kind_of(other)} == {"time", "text"}:
        return pa.string()
    try:
        schemas = [pa.schema([(name, type_)]) for type_ in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowException as error:
        raise pa.ArrowInvalid(f"{name} is {one} in some rows and {other} in others") from error
