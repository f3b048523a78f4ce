"""A dataset that remembers decoded pieces of its files, for who reads many stretches that lie in one row group."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from threading import Lock
from typing import Any

import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.files import format_in, open_part
from shared.dataset.known_file import verify
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import TableDataset

_Piece = tuple[int, pa.Table]  # the first row of a file, or of a part of one


class Pieces:
    """Pieces of what is decoded from one row on: they end at the same rows, whichever of them are wanted."""

    def __init__(self, start: int, stop: int) -> None:
        """Who wants a row first that is one of these, start ≤ row < stop, gets these pieces."""
        self.start, self.stop, self.nbytes = start, stop, 0
        self._rows: list[int] = []
        self._tables: dict[int, pa.Table] = {}

    def add(self, row: int, table: pa.Table) -> None:
        """One of them."""
        if row not in self._tables:
            insort(self._rows, row)
            self._tables[row] = table
            self.nbytes += table.nbytes

    def of(self, first_row: int, stop_row: int) -> list[_Piece] | None:
        """Those with the rows first_row ≤ row < stop_row, at least one; None unless all of them are there."""
        found: list[_Piece] = []
        row = self._rows[bisect_right(self._rows, first_row) - 1]
        while row in self._tables:
            found.append((row, self._tables[row]))
            row += self._tables[row].num_rows
            if row >= stop_row:
                return found if found[0][0] <= first_row else None
        return None


class Memory:
    """Pieces of any files; those that were not asked for longest go when there is no room. Threads may share one."""

    def __init__(self, room_bytes: int) -> None:
        self._room_bytes = room_bytes
        self._known: OrderedDict[Hashable, list[Pieces]] = OrderedDict()
        self._lock = Lock()

    def of(self, what: Hashable, first_row: int, stop_row: int) -> list[_Piece] | None:
        """Those that whoever decodes `what` for these rows would get; None unless all are remembered."""
        with self._lock:
            pieces = self._from(what, first_row)
            if pieces is None:
                return None
            self._known.move_to_end(what)
            return pieces.of(first_row, stop_row)

    def keep(self, what: Hashable, start: int, stop: int, read: Sequence[_Piece]) -> None:
        """`start`, `stop`: as of Pieces."""
        with self._lock:
            pieces = self._from(what, start)
            if pieces is None:
                pieces = Pieces(start, stop)
                self._known.setdefault(what, []).append(pieces)
            for piece in read:
                pieces.add(*piece)
            self._known.move_to_end(what)
            while sum(one.nbytes for some in self._known.values() for one in some) > self._room_bytes:
                self._known.popitem(last=False)

    def _from(self, what: Hashable, first_row: int) -> Pieces | None:
        return next((one for one in self._known.get(what, ()) if one.start <= first_row < one.stop), None)


class RememberingDataset(TableDataset):
    """Reads what it remembers no second time; looks whether its files are what they were as every dataset does."""

    def __init__(self, config: Dataset, entries: Sequence[ManifestEntry], *, memory: Memory | None) -> None:
        """`memory`: None to remember nothing."""
        super().__init__(config, entries)
        self._memory = memory

    def _read(
        self, entries: Sequence[ManifestEntry], columns: Sequence[str], keys: tuple[int, int], batch_rows: int
    ) -> Iterator[_Piece]:
        first = entries[0]
        together: Any = getattr(format_in(self.config, first.file), "together", None)
        if self._memory is None or together is None:
            yield from super()._read(entries, columns, keys, batch_rows)
            return
        mark, (types, _) = verify(entries, self.config).mark, self._types_and_folders(columns, first)
        what = (first.file, mark, first.first_byte, entries[-1].size_bytes, self.config.uri, batch_rows, *types.items())
        first_row, stop_row = max(keys[0] - first.first_key, 0), min(keys[1], entries[-1].stop_key) - first.first_key
        known = self._memory.of(what, first_row, stop_row)
        if known is not None:
            yield from ((first.first_key + row, table) for row, table in known)
            return
        read: list[_Piece] = []
        for key, table in super()._read(entries, columns, keys, batch_rows):
            read.append((key - first.first_key, table))
            yield key, table
        if read:
            with open_part(first.file, self.config, first.first_byte, entries[-1].size_bytes) as file:
                start, stop = together(file, first_row)
            self._memory.keep(what, start, stop, read)
