"""The label column as numbers, checked against what the model can learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import OFFER_DROP
from shared.errors import RowError
from workers.features.columns import Keys, is_number, numbers, refuse_nulls

_REMEDY = f"{MEND_THE_ROW} {OFFER_DROP}"
REMEDY_FOR_TEXT = "Number the classes 0, 1, 2… in the data, or name another `label:` in config.yaml."


def class_labels(values: pa.Array, name: str, keys: Keys, classes: int) -> npt.NDArray[np.int64]:
    """Labels as int64 (rows,), each from 0 to classes − 1. Raises DataError naming key, label and remedy."""
    refuse_nulls(values, f"{name} (label)", keys, _REMEDY)
    labels = _whole_numbers(values, name, keys)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        key, label = keys[outside[0]], labels[outside[0]]
        raise RowError(
            f"The label at key {key} is {label}, but the model knows the classes 0 to {classes - 1}. "
            f"{_remedy(int(label))}, or mend the row."
        )
    return labels


def number_labels(values: pa.Array, name: str, keys: Keys) -> npt.NDArray[np.float64]:
    """Labels as float64 (rows,). Raises DataError naming the key of a null, NaN, infinity or text."""
    refuse_nulls(values, f"{name} (label)", keys, _REMEDY)
    return numbers(values, f"{name} (label)", keys, MEND_THE_ROW)


def _whole_numbers(values: pa.Array, name: str, keys: Keys) -> npt.NDArray[np.int64]:
    if types.is_integer(values.type):
        return np.asarray(values.cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.int64)
    if not is_number(values.type):
        raise RowError(f"The label column {name!r} is of type {values.type}. {REMEDY_FOR_TEXT}")
    floats = numbers(values, f"{name} (label)", keys, MEND_THE_ROW)
    fractions = np.flatnonzero(floats != np.floor(floats))
    if len(fractions):
        raise RowError(
            f"The label at key {keys[fractions[0]]} is {floats[fractions[0]]}, but the loss needs a class number. "
            f"For numbers as labels choose a loss such as MSELoss."
        )
    return floats.astype(np.int64)


def _remedy(label: int) -> str:
    return f"Set num_classes to {label + 1} or more" if label >= 0 else "Number the classes from 0"
