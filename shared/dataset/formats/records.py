"""Where the records of a text begin and end: at line ends; in CSV not at those within quotes, as Arrow reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK_BYTES = 1 << 20
_QUOTE, _NEWLINE, _RETURN = b'"\n\r'

Offsets = npt.NDArray[np.int64]


class Records:
    """Those of a text that is fed block by block. An empty line is none; it belongs to the record before it."""

    def __init__(self, delimiter: str | None = None, first_byte: int = 0) -> None:
        """`delimiter`: of CSV; without one a line is a record, as in JSON lines."""
        self.stop_byte = first_byte  # behind the last line end so far that ends a record
        self.quoted = False  # whether what comes is within quotes
        self._position = first_byte
        self._is_csv = delimiter is not None
        self._starts_field = np.zeros(256, np.bool_)  # whatever comes behind such a byte
        self._starts_field[list(f"{delimiter or ''}\n\r".encode())] = True
        self._before = _NEWLINE  # the byte before the next block
        self._closed = False  # whether that is a quote that closes, so that another one would open again

    def feed(self, block: bytes) -> tuple[Offsets, Offsets]:
        """Where the records begin that end in this block, and where they end."""
        text = np.frombuffer(block, np.uint8)
        ends = (text == _NEWLINE) | (text == _RETURN) if self._is_csv else text == _NEWLINE
        stops = np.flatnonzero(ends)
        if self._is_csv and len(text):
            toggles = self._toggles(block, text)
            stops = stops[(np.searchsorted(toggles, stops) + self.quoted) % 2 == 0]
            self.quoted = bool((len(toggles) + self.quoted) % 2)
            self._before, last = int(text[-1]), len(text) - 1
            self._closed = not self.quoted and len(toggles) > 0 and int(toggles[-1]) == last
        starts = np.concatenate([[self.stop_byte], self._position + stops + 1]).astype(np.int64)
        self.stop_byte, self._position = int(starts[-1]), self._position + len(block)
        there = np.diff(starts) > (1 if self._is_csv else 2)  # "\r\n" is one line end where "\r" alone is none
        return starts[:-1][there], starts[1:][there]

    def _toggles(self, block: bytes, text: npt.NDArray[np.uint8]) -> Offsets:
        """The quotes that open or close: all of them, unless one stands in the middle of a value."""
        quotes = np.flatnonzero(text == _QUOTE)
        if not len(quotes):
            return quotes
        opening = quotes[1 if self.quoted else 0 :: 2]
        before = np.where(opening > 0, text[opening - 1], self._before)
        again = (before == _QUOTE) & ((opening > 0) | self._closed)
        if (again | self._starts_field[before]).all():
            return quotes
        return self._one_by_one(block, quotes)

    def _one_by_one(self, block: bytes, quotes: Offsets) -> Offsets:
        toggles, quoted = [], self.quoted
        closed_at = -1 if self._closed else -2
        for quote in quotes.tolist():
            before = block[quote - 1] if quote else self._before
            if quoted:
                quoted, closed_at = False, quote
            elif self._starts_field[before] or closed_at == quote - 1:
                quoted = True
            else:
                continue
            toggles.append(quote)
        return np.array(toggles, np.int64)


def records_in(
    file: Any, records: Records, first_byte: int, stop_byte: int, block_bytes: int = _BLOCK_BYTES
) -> Iterator[tuple[Offsets, Offsets]]:
    """Where the records begin and end that end in these bytes of a file, block by block."""
    position = first_byte
    while position < stop_byte:
        file.seek(position)
        block = bytes(file.read(min(block_bytes, stop_byte - position)))
        if not block:
            return
        yield records.feed(block)
        position += len(block)
