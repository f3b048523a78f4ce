"""The first value in a column of a text file that is not of the kind that is wanted there: its row, and what stands
there, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset, TimeFormat
from shared.dataset.by_halves import first_failing
from shared.dataset.column_kinds import kind_of
from shared.dataset.files import UNREADABLE, format_in, open_part
from shared.dataset.manifest import ManifestEntry
from shared.dataset.timestamp_column import read_us
from shared.printable import printable

_BOOLEANS = pa.array(["true", "false"])
_ROWS_AT_ONCE = 65_536


def is_typeless(entry: ManifestEntry, dataset: Dataset) -> bool:
    """Whether the file's format says no types, so that any column can be read as text."""
    return bool(getattr(format_in(dataset, entry.file), "typeless", False))


def first_that_is_no(wanted: pa.DataType, name: str, entry: ManifestEntry, dataset: Dataset) -> str:
    """`row 17 is '?'`, counted from 1 in its file; empty if none is found. The file is one without types."""
    written = dataset.time_format if name == dataset.timestamp else TimeFormat()
    test = partial(_times, written=written) if kind_of(wanted) == "time" else _tests.get(kind_of(wanted))
    for row, values in _bytes_of(name, entry, dataset) if test else ():
        found = _first(values, test) if test else None
        if found is not None:
            return f"row {entry.first_row + row + found + 1} is {_shown(values[found].as_py())}"
    return ""


def _shown(value: bytes) -> str:
    """As a text; as bytes where it is none."""
    try:
        return printable(repr(value.decode()))
    except UnicodeDecodeError:
        return printable(repr(value))


def _bytes_of(name: str, entry: ManifestEntry, dataset: Dataset) -> Iterator[tuple[int, pa.Array]]:
    """(first row, values) pieces; nothing where the file cannot be read so."""
    try:
        with open_part(entry.file, dataset, entry.first_byte, entry.size_bytes) as file:
            kind = format_in(dataset, entry.file)
            for row, batch in kind.batches(file, [name], 0, _ROWS_AT_ONCE, {name: pa.binary()}):
                yield row, batch.column(0)
    except UNREADABLE:
        return


def _first(values: pa.Array, test: Callable[[pa.Array], object]) -> int | None:
    """The first that fails the test; None if all pass it."""
    if _passes(values, test):
        return None
    return first_failing(len(values), lambda first, stop: _passes(values.slice(first, stop - first), test))


def _passes(values: pa.Array, test: Callable[[pa.Array], object]) -> bool:
    try:
        test(values.cast(pa.string()))  # which refuses what is not UTF-8
    except (pa.ArrowException, ValueError):
        return False
    return True


def _numbers(texts: pa.Array) -> None:
    boolean = pc.is_in(pc.utf8_lower(texts), _BOOLEANS)
    pc.if_else(boolean, None, texts).cast(pa.float64())


def _times(texts: pa.Array, written: TimeFormat) -> None:
    read_us(pa.chunked_array([texts]), written)


_tests: dict[str, Callable[[pa.Array], object]] = {
    "text": lambda texts: None,
    "number": _numbers,
    "whole number": _numbers,
}
