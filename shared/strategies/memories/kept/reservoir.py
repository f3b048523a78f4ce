"""Reservoir: a memory in which each row seen is kept as likely as any other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.strategies.draws import Draws, Keys, draws_of
from shared.strategies.memories.kept.usable import usable_keys, usable_limit


class Reservoir:
    """The `limit` rows with the smallest draws.

    A state is an Arrow table, at most `limit` rows long: `key`, int64, ascending, and `draw`, uint64. A key seen twice
    counts once. The method is Vitter's (ACM Transactions on Mathematical Software 11, 1985) with random keys instead of
    a count, as Efraimidis and Spirakis draw (Information Processing Letters 97, 2006).
    """

    SCHEMA = pa.schema([("key", pa.int64()), ("draw", pa.uint64())])

    def __init__(self, limit: int, seed: int) -> None:
        """Raises ValueError if the limit is below 1."""
        self._limit, self._seed = usable_limit(limit), seed

    def empty(self) -> pa.Table:
        """The state before any row."""
        return self.SCHEMA.empty_table()

    def observe(self, state: pa.Table, keys: Keys) -> pa.Table:
        """The state after these rows too, int64 (n,), in any order. O(n), and O(limit) if one of them is kept."""
        draws = draws_of(usable_keys(keys), self._seed)
        if state.num_rows == self._limit:
            enters = draws < state["draw"].to_numpy().max()
            keys, draws = keys[enters], draws[enters]
        return self._of(state, keys, draws) if len(keys) else state

    def merge(self, one: pa.Table, other: pa.Table) -> pa.Table:
        """The state after the rows of both, which have the same limit and seed."""
        return self._of(one, other["key"].to_numpy(), other["draw"].to_numpy())

    def keys(self, state: pa.Table) -> Keys:
        """Those that are kept, ascending."""
        kept: Keys = state["key"].to_numpy()
        return kept

    def first(self, state: pa.Table, rows: int) -> Keys:
        """So many of those that are kept, those with the smallest draws, ascending: a uniform sample of all seen."""
        order = np.argsort(state["draw"].to_numpy())[:rows]
        return np.sort(state["key"].to_numpy()[order])

    def _of(self, state: pa.Table, keys: Keys, draws: Draws) -> pa.Table:
        keys = np.concatenate([state["key"].to_numpy(), keys])
        draws = np.concatenate([state["draw"].to_numpy(), draws])
        if (keys[1:] <= keys[:-1]).any():  # rows mostly come in the order of their keys
            keys, first = np.unique(keys, return_index=True)
            draws = draws[first]
        if len(keys) > self._limit:
            kept = draws <= np.partition(draws, self._limit - 1)[self._limit - 1]
            keys, draws = keys[kept], draws[kept]
        return pa.table({"key": keys, "draw": draws}, schema=self.SCHEMA)
