"""Which training sets are gone through by blocks, so that no index of their rows is held in memory."""

from __future__ import annotations

from typing import NamedTuple

_LEAST_ROWS = 2**10


class Blocks(NamedTuple):
    """How large a set must be for that, and how large its blocks are then. It decides the order of a training."""

    beyond_rows: int = 2**24
    rows: int = 2**18
    most_bytes: int = 2**26  # of a block's features; a few blocks are in memory

    def rows_of_a_block(self, rows: int, row_bytes: int) -> int | None:
        """For a set of so many rows, each of so many bytes; None for one that has an index."""
        if rows <= self.beyond_rows:
            return None
        return min(self.rows, max(self.most_bytes // max(row_bytes, 1), _LEAST_ROWS))
