"""Which rows of a stretch have a label that is known by now, and windows of the newest, or newly known, of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.dataset.event_time import first_key_after, sound_timestamps_us
from shared.dataset.nulls import known
from shared.dataset.table import TableDataset
from shared.timestamps import MICROSECONDS_PER_S
from workers.detection.detector import Sight
from workers.features.labelled_rows import LabelledRows

_KEYS_AT_ONCE = 262_144  # of one column

Keys = npt.NDArray[np.int64]


class Window(NamedTuple):
    """The rows to be scored: those of the keys [first_key, stop_key) that have a label in `dataset`."""

    first_key: int  # the stop key where there is none
    stop_key: int
    dataset: TableDataset
    rows: int  # of the window up to the look, those without a known label too


class KnownRows:
    """Those of the rows first_key … last_key whose label is known at a sight.

    Of labels that stand in their rows these are the first ones, up to the sight's `labelled_key`; labels of a table of
    their own are looked up, O(rows).
    """

    def __init__(self, sight: Sight, first_key: int, last_key: int) -> None:
        """Raises DataError."""
        self._sight, self._dataset, self._first_key, self._last_key = sight, sight.dataset, first_key, last_key
        known_key = -1 if sight.labelled_key is None else min(sight.labelled_key, last_key)
        self.stop_key = max(known_key + 1, first_key)  # behind the newest; the first row where there is none
        self._keys: Keys | None = None  # None: all up to there
        if sight.dataset.config.labels is not None:
            self._keys = _labelled(sight.dataset, first_key, self.stop_key)
            self.stop_key = int(self._keys[-1]) + 1 if len(self._keys) else first_key

    def __len__(self) -> int:
        return self.stop_key - self._first_key if self._keys is None else len(self._keys)

    def window(self, window: Mapping[str, Any], since_us: int) -> Window:
        """Of `window` one is not None: `rows`, the newest so many; `duration_s`, those of the last stretch of event
        time, which was `since_us` before the first row; `since`, those that were not known at a look before, which was
        at row `key` and knew `known` of them. Raises DataError.
        """
        if window.get("since") is not None:
            return self._since(**window["since"])
        if window.get("duration_s") is not None:
            return self._from(self._last(round(window["duration_s"] * MICROSECONDS_PER_S), since_us))
        newest = min(window["rows"], len(self))
        if newest == 0 or self._keys is None:
            return self._from(self.stop_key - newest)
        return self._from(int(self._keys[-newest]))

    def _from(self, first_key: int) -> Window:
        return Window(first_key, self.stop_key, self._dataset, self._last_key + 1 - first_key)

    def _since(self, key: int, known: int) -> Window:
        """Labels that stand in their rows become known in the order of these, those of a table in any."""
        if self._keys is None:
            return self._from(min(self._first_key + known, self.stop_key))
        assert self._sight.label_index is not None
        assert isinstance(self._dataset, LabelledRows)
        newly = self._sight.label_index.newly_known(key, self._sight.key)
        newly = np.intersect1d(newly, self._keys, assume_unique=True)
        first_key, stop_key = (int(newly[0]), int(newly[-1]) + 1) if len(newly) else (self.stop_key, self.stop_key)
        waiting = self._last_key + 1 - self._first_key - len(self._keys)
        return Window(first_key, stop_key, self._dataset.labelled(newly), len(newly) + waiting)

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
