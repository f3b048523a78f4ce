"""Which rows of a stretch have a label that is known by now, and where a window of the newest of them begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.dataset.event_time import first_key_after, sound_timestamps_us
from shared.dataset.nulls import known
from shared.dataset.table import TableDataset
from shared.timestamps import MICROSECONDS_PER_S
from workers.detection.detector import Sight

_KEYS_AT_ONCE = 262_144  # of one column

Keys = npt.NDArray[np.int64]


class KnownRows:
    """Those of the rows first_key … last_key whose label is known at a sight.

    Of labels that stand in their rows these are the first ones, up to the sight's `labelled_key`; labels of a table of
    their own are looked up, O(rows).
    """

    def __init__(self, sight: Sight, first_key: int, last_key: int) -> None:
        """Raises DataError."""
        self._dataset, self._first_key = sight.dataset, first_key
        known_key = -1 if sight.labelled_key is None else min(sight.labelled_key, last_key)
        self.stop_key = max(known_key + 1, first_key)  # behind the newest; the first row where there is none
        self._keys: Keys | None = None  # None: all up to there
        if sight.dataset.config.labels is not None:
            self._keys = _labelled(sight.dataset, first_key, self.stop_key)
            self.stop_key = int(self._keys[-1]) + 1 if len(self._keys) else first_key

    def __len__(self) -> int:
        return self.stop_key - self._first_key if self._keys is None else len(self._keys)

    def begin(self, window: Mapping[str, Any], since_us: int) -> int:
        """The first row of a window that ends with the newest; its stop key where no row is in it. Raises DataError.

        Of `window` one is not None: `rows`, the newest so many; `known`, all but the first so many; `duration_s`, those
        of the last stretch of event time, which was `since_us` before the first row.
        """
        if window.get("duration_s") is not None:
            return self._last(round(window["duration_s"] * MICROSECONDS_PER_S), since_us)
        newest = max(len(self) - window["known"], 0) if "known" in window else min(window["rows"], len(self))
        if newest == 0:
            return self.stop_key
        return self.stop_key - newest if self._keys is None else int(self._keys[-newest])

    def _last(self, duration_us: int, since_us: int) -> int:
        now_us = since_us
        for start, stop in _pieces(self._first_key, self.stop_key):
            now_us = max(now_us, int(sound_timestamps_us(self._dataset, start, stop).max()))
        return first_key_after(self._dataset, now_us - duration_us, self._first_key, self.stop_key, since_us)


def _labelled(dataset: TableDataset, first_key: int, stop_key: int) -> Keys:
    """The keys of rows with a label, ascending."""
    pieces = dataset.batches([dataset.config.label], first_key, stop_key, _KEYS_AT_ONCE)
    found = [key + np.flatnonzero(known(rows.column(0))) for key, rows in pieces]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _pieces(first_key: int, stop_key: int) -> Iterator[tuple[int, int]]:
    for start in range(first_key, stop_key, _KEYS_AT_ONCE):
        yield start, min(start + _KEYS_AT_ONCE, stop_key)
