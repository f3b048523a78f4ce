"""CSV, also compressed: read from its first line each time, or that of a part, as nothing says where a row begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from shared.dataset.column_kinds import kind_of, plain_type
from shared.dataset.formats.format import BadRowError
from shared.dataset.formats.part import Part, can_grow
from shared.dataset.formats.records import Records, records_in
from shared.dataset.formats.unpacked import PACKED, SAY_ENCODING, unpacked

_DELIMITERS = ",;\t|"  # that a first line shows; of two that are as frequent, the first
_HEADER_BYTES, _LINE_BYTES = 65_536, 16_384
_COLUMNS_AT_ONCE = 16
_ROW = re.compile(r"Row #(\d+): ")  # of all lines, that with the names being the first
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

Types = Mapping[str, pa.DataType]


class Csv:
    """`*.csv` and `*.tsv`, also compressed. The first line names the columns and shows the delimiter."""

    title = "CSV"
    suffixes = tuple(f".{kind}{packed}" for kind in ("csv", "tsv") for packed in PACKED)
    options = ("delimiter", "encoding")
    typeless = True  # any column can be read as text
    has_names = True  # its first record

    def __init__(self, delimiter: str | None = None, encoding: str = "utf-8") -> None:
        self._delimiter, self.encoding = delimiter, encoding

    def schema(self, file: Any) -> pa.Schema:
        """Names from the first line, types as all lines have them: of a file without rows, null. All lines are read."""
        types: dict[str, pa.DataType] = {}
        while True:
            opened = partial(self._open, file, _converted(column_types=types))
            try:
                reader = opened()
            except pa.ArrowInvalid as error:
                raise _in_row(error, opened) from None
            _refuse_unprintable(reader.schema)
            try:
                for _ in reader:
                    pass
                return reader.schema
            except pa.ArrowInvalid as error:  # behind the first block, which gave the types
                others = _as_narrow(error, reader.schema, types)
                if not others:
                    raise _in_row(error, opened) from None
                types |= self._types_of_all_lines(file, others)

    def count_rows(self, file: Any) -> int:
        """All lines are read, whatever they hold."""
        one = _converted(include_columns=["f0"], column_types={"f0": pa.binary()})
        opened = partial(self._open, file, one, names=False)
        try:
            lines: int = sum(batch.num_rows for batch in opened())
        except pa.ArrowInvalid as error:
            raise _in_row(error, opened) from None
        return max(lines - 1, 0)

    def batches(
        self, file: Any, columns: Sequence[str], first_row: int, batch_rows: int, types: Types
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Pieces as large as a block of the file. Columns have the types of the first file, or wider ones."""
        row, attempts = 0, self._attempts(file, columns, types)
        for number, attempt in enumerate(attempts):
            try:
                for batch in skipping(attempt(), row):
                    yield row, batch
                    row += batch.num_rows
                return
            except pa.ArrowInvalid as error:  # perhaps of a fraction, where the first file has whole numbers
                if number + 1 == len(attempts):
                    raise _in_row(error, attempt) from None

    def grows(self, file: Any) -> bool:
        """Whether lines may be added to the file."""
        return can_grow(file, self.encoding)

    def records(self, file: Any, first_byte: int = 0) -> Records:
        """What tells its records apart, the line with the names among them, from a byte on at which one begins."""
        return Records(self._delimiter or _delimiter_in(self._header(file)), first_byte)

    def part(self, file: Any, first_byte: int, stop_byte: int) -> Any:
        """The first line and these bytes, as a file."""
        return Part(file, self._first_line(file, first_byte) if first_byte else b"", first_byte, stop_byte)

    def _first_line(self, file: Any, stop_byte: int) -> bytes:
        """The bytes up to the end of the names."""
        found = (stops for _, stops in records_in(file, self.records(file), 0, stop_byte, _LINE_BYTES) if len(stops))
        stop_byte = int(next(found, [stop_byte])[0])
        file.seek(0)
        return bytes(file.read(stop_byte))

    def _attempts(
        self, file: Any, columns: Sequence[str], types: Types
    ) -> Sequence[Callable[..., pa_csv.CSVStreamingReader]]:
        """Readings with the types of the first file, with what this one's first lines need, with what all need."""

        def reading(own: Callable[[Any], pa.Schema] | None = None, **how: bool) -> pa_csv.CSVStreamingReader:
            here = pa.schema(list(types.items())) if own is None else own(file)
            wide = {name: _wider(first, here.field(name).type) for name, first in types.items()}
            converted = _converted(include_columns=list(columns), column_types=roomy(wide))
            return self._open(file, converted, **how)

        return (
            reading,
            partial(reading, lambda one: self._open(one, _converted()).schema),
            partial(reading, self.schema),
        )

    def _open(
        self, file: Any, converted: pa_csv.ConvertOptions, *, names: bool = True, threads: bool = True
    ) -> pa_csv.CSVStreamingReader:
        """Without `threads` errors say the row."""
        how = self._reading(file, names, threads)
        return pa_csv.open_csv(unpacked(file, self.encoding), **how, convert_options=converted)

    def _types_of_all_lines(self, file: Any, columns: list[str]) -> dict[str, pa.DataType]:
        """What Arrow finds for these columns when it may look at all their values before it decides."""
        only = _converted(include_columns=columns)
        table = pa_csv.read_csv(unpacked(file, self.encoding), **self._reading(file), convert_options=only)
        return {name: table.schema.field(name).type for name in columns}

    def _reading(self, file: Any, names: bool = True, threads: bool = True) -> dict[str, Any]:
        """How lines and cells are told apart; without `names` the first line is one like the others."""
        delimiter = self._delimiter or _delimiter_in(self._header(file))
        return {
            "read_options": pa_csv.ReadOptions(autogenerate_column_names=not names, use_threads=threads),
            "parse_options": pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        }

    def _header(self, file: Any) -> bytes:
        """The first line that is not empty; no more of it than is needed."""
        lines = bytes(unpacked(file, self.encoding).read(_HEADER_BYTES)).splitlines()
        return next((line for line in lines if line.strip()), b"")


def skipping(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """What comes behind so many rows."""
    for batch in batches:
        if batch.num_rows > rows:
            yield batch.slice(rows)
        rows = max(rows - batch.num_rows, 0)


def _delimiter_in(header: bytes) -> str:
    """What stands most often in the line, outside of quotes."""
    bare = re.sub(rb'"[^"]*"', b"", header).decode("latin-1")
    return max(_DELIMITERS, key=bare.count)


def _refuse_unprintable(schema: pa.Schema) -> None:
    try:
        names = schema.names
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid(f"its first line is not UTF-8 ({error.reason}); {SAY_ENCODING}") from error
    if any(_UNPRINTABLE.search(name) for name in names):
        raise pa.ArrowInvalid("its first line is no text")


def _as_narrow(error: pa.ArrowInvalid, schema: pa.Schema, known: Types) -> list[str]:
    """The column whose type does not hold for all lines, and others of its type, which may not either; else none."""
    found = re.search(r"In CSV column #(\d+)", str(error))
    name = schema.names[int(found[1])] if found else None
    if name is None or name in known:
        return []
    kind = schema.field(int(found[1])).type if found else None
    others = [one.name for one in schema if one.type == kind and one.name not in (name, *known)]
    return [name, *others[: _COLUMNS_AT_ONCE - 1]]


def roomy(types: Types) -> dict[str, pa.DataType]:
    """Whole numbers of any size; a column that had only nulls may hold anything."""
    small = (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32())
    roomy = {name: pa.int64() if one in small else plain_type(one) for name, one in types.items()}
    return {name: one for name, one in roomy.items() if not pa.types.is_null(one)}


def _wider(first: pa.DataType, own: pa.DataType) -> pa.DataType:
    """The type that a file's own lines have, where both are of numbers, or both of times."""
    kinds, numbers = {kind_of(first), kind_of(own)}, {"whole number", "number"}
    if pa.types.is_floating(first) and pa.types.is_integer(own):
        return first
    return own if kinds <= numbers or kinds == {"time"} else first


def _converted(**how: Any) -> pa_csv.ConvertOptions:
    """An empty cell is a null in each column, and so are NA, NaN, null and the like."""
    return pa_csv.ConvertOptions(strings_can_be_null=True, **how)


def _in_row(error: pa.ArrowInvalid, opened: Callable[..., pa_csv.CSVStreamingReader]) -> pa.ArrowInvalid:
    """The error of a reading as one of a row; the text is read again for that, by one thread, which counts rows."""
    try:
        for _ in opened(threads=False):
            pass
    except pa.ArrowInvalid as again:
        error = again
    if isinstance(error, BadRowError):
        return error
    offer = f"; {SAY_ENCODING}" if "invalid UTF8" in str(error) else ""
    row, said = _ROW.search(str(error)), f"{_ROW.sub('', str(error), count=1)}{offer}"
    return BadRowError(int(row[1]) - 2, said) if row else pa.ArrowInvalid(said)
