"""Rows whose labels are known and that a model was not trained on: what its probabilities are calibrated on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.dataset.nulls import known
from shared.dataset.table import TableDataset
from shared.messages.rescore import Mask
from shared.messages.tasks import KeyRange
from workers.detection.rows import read
from workers.evaluation.counted import in_all
from workers.evaluation.later_classes import knowing
from workers.features.class_names import LaterClasses
from workers.features.columns import Keys
from workers.key_ranges import among
from workers.loaded_model import LoadedModel

_KEYS_AT_ONCE = 65_536


class Reference(msgspec.Struct, frozen=True):
    """Labelled rows, and what a model predicts for them."""

    keys: Keys  # (n,), ascending
    dataset: TableDataset  # with labels as they were known
    outputs: npt.NDArray[np.float32]  # (n, classes)
    labels: npt.NDArray[Any]  # (n,), classes


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: the newest `most` of first_key … last_key that are in the mask and have a label."""

    first_key: int
    last_key: int
    mask: Mask
    left_out: Sequence[KeyRange]
    most: int

    def keys(self, dataset: TableDataset) -> Keys:
        """Theirs, ascending. O(rows up to the oldest of them), from the newest back. Raises DataError."""
        found: list[Keys] = []
        missing = self.most
        for start, stop in self._pieces():
            wanted = np.flatnonzero(in_all(dataset, start, stop, [self.mask])) + start
            wanted = wanted[~among(wanted, self.left_out)]
            wanted = wanted[_labelled(dataset, wanted)][-missing:]
            found.append(wanted)
            missing -= len(wanted)
            if missing == 0:
                break
        return np.concatenate(found[::-1]) if found else np.empty(0, np.int64)

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """From the last on."""
        stop = self.last_key + 1
        while stop > self.first_key:
            start = max(stop - _KEYS_AT_ONCE, self.first_key)
            yield start, stop
            stop = start


def reference_of(model: LoadedModel, dataset: TableDataset, held_out: HeldOut) -> Reference:
    """The rows, and what the model predicts for them. Raises DataError, TrainingError."""
    keys = held_out.keys(dataset)
    if not len(keys):
        return Reference(keys, dataset, np.empty((0, model.classes or 0), np.float32), np.empty(0, np.int64))
    model = knowing(model, lambda: dataset, held_out.first_key, held_out.last_key, LaterClasses())
    label = dataset.config.label
    table = read(dataset, list(dict.fromkeys((*model.columns, label))), keys)
    outputs = model.predict_encoded(model.encode(table, keys)).read()
    return Reference(keys, dataset, outputs, model.labels(table, label, keys))


def _labelled(dataset: TableDataset, keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of these rows have a label, (n,)."""
    if dataset.config.nulls.labels != "drop" or not len(keys):
        return np.ones(len(keys), np.bool_)
    return np.asarray(known(read(dataset, [dataset.config.label], keys).column(0)))
