"""Whether a trigger has something to train on: rows of the train split that no trigger before it knew."""

from __future__ import annotations

from threading import Lock

import numpy as np

from shared.config.pipeline import Pipeline
from shared.labels.index import LabelIndex
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.backtest.replaying.train_split import TrainSplit
from supervisor.core.seen import Fired


class NewRows:
    """Of one stream, for any number of replays. Memory: 9 bytes a row."""

    def __init__(self, pipeline: Pipeline, stream: RecordedStream, index: LabelIndex | None) -> None:
        """`index`: of labels in a table of their own, up to the last row. Raises DataError."""
        self._first_key, self._index, self._lock = stream.start.first_usable_key, index, Lock()
        split = TrainSplit(pipeline.data.split, stream.dataset, labelled_apart=index is not None)
        stop_key = stream.last_key + 1
        self._train = np.zeros(max(stop_key - self._first_key, 0), bool)
        for start, mask in split.masks(self._first_key, stop_key):
            self._train[start - self._first_key :][: len(mask)] = mask
        self._so_far = np.concatenate([[0], np.cumsum(self._train)])

    def are_there(self, fired: Fired, before: Fired | None) -> bool:
        """`before`: the trigger before it, if there was one."""
        if self._index is not None:
            with self._lock:
                rows = self._index.newly_known(None if before is None else before.key, fired.key)
            return bool(self._train[rows[rows >= self._first_key] - self._first_key].any())
        start, stop = self._known_at(before), self._known_at(fired)
        return bool(self._so_far[stop] > self._so_far[min(start, stop)])

    def _known_at(self, fired: Fired | None) -> int:
        """So many rows from the first on have a label that is known."""
        key = None if fired is None else fired.labelled_key
        return 0 if key is None else max(key + 1 - self._first_key, 0)
