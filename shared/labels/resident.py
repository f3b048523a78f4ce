"""How much of mapped files stays in this process's memory: what was touched goes back when it becomes much."""

from __future__ import annotations

import mmap

AROUND_BYTES = 65_536  # the system maps so much around each place that is read


class Resident:
    """Counts what mapped files may have brought into memory, and gives it back: the system keeps it at hand."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._bytes = 0
        self._touched: dict[int, mmap.mmap] = {}

    def touch(self, mapping: mmap.mmap, places: int, span_bytes: int) -> None:
        """So many places of a mapping are going to be read or written, within a span."""
        more = min(places * AROUND_BYTES, span_bytes + AROUND_BYTES)
        if self._bytes + more > self.most_bytes:
            self.give_back()
        self._bytes += more
        self._touched[id(mapping)] = mapping

    def give_back(self) -> None:
        """Let go of all that was touched; what was written is kept."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapping in self._touched.values():
                mapping.madvise(mmap.MADV_DONTNEED)
        self._touched.clear()
        self._bytes = 0
