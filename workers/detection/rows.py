"""The rows that a question names: their keys, of which as many are drawn as shall be compared, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.dataset.event_time import NEVER_US, begin_us, first_key_after, sound_timestamps_us
from shared.dataset.table import TableDataset
from shared.messages.tasks import KeyRange
from workers.key_ranges import among

Keys = npt.NDArray[np.int64]

_TIMES_AT_ONCE = 262_144
_ROWS_AT_ONCE = 16_384


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Keys first..last; of them those within `last_us` of event time of the last one, where that is given."""

    first_key: int
    last_key: int
    last_us: int | None = None
    event_time_us: int | None = None  # at the last key, where it is known
    so_far_us: int | None = None  # what event time was at most before the first key, where that is known

    def found(self, dataset: TableDataset) -> tuple[int, int]:
        """Its first and last key; the first lies behind the last where there is no row. Raises DataError."""
        if self.last_us is None or self.first_key > self.last_key:
            return self.first_key, self.last_key
        so_far_us = begin_us(dataset, self.first_key) if self.so_far_us is None else self.so_far_us
        end_us = self._latest_us(dataset, so_far_us) if self.event_time_us is None else self.event_time_us
        first = first_key_after(dataset, end_us - self.last_us, self.first_key, self.last_key + 1, so_far_us)
        return first, self.last_key

    def _latest_us(self, dataset: TableDataset, so_far_us: int | None) -> int:
        """Event time at the last key, from the rows themselves."""
        latest_us = NEVER_US if so_far_us is None else so_far_us
        for start in range(self.first_key, self.last_key + 1, _TIMES_AT_ONCE):
            stop = min(start + _TIMES_AT_ONCE, self.last_key + 1)
            latest_us = max(latest_us, int(sound_timestamps_us(dataset, start, stop).max()))
        return latest_us


def range_of(options: Mapping[str, Any]) -> Range:
    """What a question says of a window."""
    return msgspec.convert(options, Range)


def drawn(first_key: int, last_key: int, most: int, seed: int, left_out: Sequence[KeyRange] = ()) -> Keys:
    """All keys of a range but those that are left out, or `most` of them, drawn without replacement; ascending."""
    if any(first <= last_key and first_key <= last for first, last in left_out):
        keys = np.arange(first_key, last_key + 1)
        keys = keys[~among(keys, left_out)]
        return keys[drawn(0, len(keys) - 1, most, seed)]
    rows = max(last_key - first_key + 1, 0)
    if rows <= most:
        return np.arange(first_key, first_key + rows)
    some = np.random.Generator(np.random.PCG64(seed)).choice(rows, most, replace=False)
    return first_key + np.sort(some)


def read(dataset: TableDataset, columns: Sequence[str], keys: Keys) -> pa.Table:
    """These columns of the rows. Raises DataError."""
    return pa.concat_tables(list(dataset.take_batches(columns, keys, _ROWS_AT_ONCE)), promote_options="permissive")
