"""Which labels a loss can learn from, and the check that a column holds only those."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.class_names import ClassNames
from shared.errors import RowError
from workers.features.columns import Keys
from workers.features.labels import class_labels, number_labels
from workers.features.matrix import LabelReader
from workers.training.losses import LossKind

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def count_classes(kind: LossKind, outputs: int) -> int | None:
    """How many classes a model of so many outputs tells apart; None if it estimates numbers."""
    if kind.task == "regression":
        return None
    return outputs if kind.labels == "class" else 2


def label_reader(kind: LossKind, outputs: int, name: str, known: ClassNames | None = None) -> LabelReader:
    """A reader of the label column `name`: int64 classes below `outputs` (below 2 for one output), or float64.

    Texts are read by the names of the classes that are `known`.

    The reader raises DataError naming key, label and remedy.
    """
    classes = count_classes(kind, outputs)
    if classes is not None:

        def read_classes(values: pa.Array, keys: Keys) -> npt.NDArray[np.int64]:
            return class_labels(values, name, keys, classes, known)

        return read_classes

    def read_numbers(values: pa.Array, keys: Keys) -> npt.NDArray[np.float64]:
        labels = number_labels(values, name, keys)
        too_large = np.flatnonzero(np.abs(labels) > _FLOAT32_MAX)
        if len(too_large):
            raise RowError(f"The label at key {keys[too_large[0]]} does not fit float32; rescale column {name!r}.")
        return labels

    return read_numbers
