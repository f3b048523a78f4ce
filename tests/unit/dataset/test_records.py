"""Records are told apart by bytes, block by block, just as Arrow tells them."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.dataset.formats.records import Records, records_in


def letter_by_letter(text: bytes) -> tuple[list[int], int, bool]:
    """Where the records of a CSV begin; where the last one ends; whether what comes is within quotes."""
    starts, begun, quoted, at_field = [], 0, False, True
    position = 0
    while position < len(text):
        letter = text[position : position + 1]
        position += 1
        if quoted:
            if letter == b'"' and text[position : position + 1] == b'"':
                position += 1
            elif letter == b'"':
                quoted = False
        elif letter == b'"' and at_field:
            quoted = True
        elif letter in b"\r\n":
            if position - begun > 1:
                starts.append(begun)
            begun = position
        at_field = not quoted and letter in b",\r\n"
    return starts, begun, quoted


@settings(max_examples=500)
@given(text=st.text('a,"\n\r', max_size=30), block_bytes=st.integers(1, 8))
def test_blocks_make_no_difference(text: str, block_bytes: int) -> None:
    """Doubled quotes, line ends and quotes within a value may be cut anywhere."""
    records = Records(",")
    found = [
        int(start)
        for starts, _ in records_in(io.BytesIO(text.encode()), records, 0, 99, block_bytes)
        for start in starts
    ]
    starts, stop, quoted = letter_by_letter(text.encode())
    assert (found, records.stop_byte, records.quoted) == (starts, stop, quoted)


@settings(max_examples=300)
@given(text=st.text('a"\n\r', max_size=30))
def test_records_are_those_of_arrow(text: str) -> None:
    """As many as it reads rows, of a file in which the last one is whole."""
    records = Records(",")
    starts, _ = records.feed(text.encode())
    if records.quoted:
        return
    assert len(starts) + (len(text.encode()) > records.stop_byte) == rows_of(text.encode())


def rows_of(text: bytes) -> int:
    """What Arrow finds."""
    options: Any = {
        "read_options": pa_csv.ReadOptions(column_names=["x"]),
        "parse_options": pa_csv.ParseOptions(newlines_in_values=True),
        "convert_options": pa_csv.ConvertOptions(column_types={"x": pa.binary()}),
    }
    return int(pa_csv.read_csv(io.BytesIO(text), **options).num_rows) if text.strip() else 0
