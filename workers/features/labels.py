"""The label column as numbers, its texts by the names of their classes, checked against what the model can learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from shared.class_names import ClassNames, told
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import OFFER_DROP
from shared.dataset.table import TableDataset
from shared.errors import RowError
from workers.features.class_names import refuse_numbers
from workers.features.columns import Keys, is_number, is_text, numbers, refuse_nulls

_REMEDY = f"{MEND_THE_ROW} {OFFER_DROP}"
_CLASSES = "For texts choose a loss such as CrossEntropyLoss, or name another `label:` in config.yaml."


def class_labels(
    values: pa.Array, name: str, keys: Keys, classes: int, known: ClassNames | None = None
) -> npt.NDArray[np.int64]:
    """Labels as int64 (rows,), each from 0 to classes − 1: texts by the names that are `known`.

    Raises DataError naming key, label and remedy.
    """
    refuse_nulls(values, f"{name} (label)", keys, _REMEDY)
    if known is not None and known.texts:
        return _named(values, name, keys, classes, known)
    labels = _whole_numbers(values, name, keys)
    most = classes if known is None else min(classes, len(known.names))
    outside = np.flatnonzero((labels < 0) | (labels >= most))
    if len(outside):
        key, label = keys[outside[0]], int(labels[outside[0]])
        few = known is not None and most < classes and label >= 0
        knows = f"`classes` names 0 to {most - 1}" if few else f"the model knows the classes 0 to {most - 1}"
        remedy = "Name it there, too" if few else _remedy(label)
        raise RowError(f"The label at key {key} is {label}, but {knows}. {remedy}, or mend the label.")
    return labels


class NamedLabels:
    """A dataset whose labels are texts, as the numbers of their classes.

    Those that no model has room for are one class more, so that whoever counts classes can go on behind them.
    """

    def __init__(self, dataset: TableDataset, names: Sequence[str], room: int) -> None:
        self._dataset, self._names, self._other = dataset, names, max(room, len(names))

    def labels(self, first_key: int, stop_key: int) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """int64 (rows,); NaN where a row that is dropped has none, and then float64. Raises DataError."""
        parts: list[npt.NDArray[Any]] = [np.empty(0, np.int64)]
        name = self._dataset.config.label
        for key, piece in self._dataset.batches([name], first_key, stop_key):
            values = piece.column(0).combine_chunks()
            refuse_numbers(values.type, name, key)
            places = np.asarray(pc.fill_null(numbered(values, self._names), self._other), dtype=np.int64)
            parts.append(np.where(values.is_null(), np.nan, places) if values.null_count else places)
        return np.concatenate(parts)

    def numbers_of(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The class of each text, (texts,)."""
        return np.asarray(pc.fill_null(numbered(pa.array(texts, pa.string()), self._names), self._other), np.float64)


def numbered(values: pa.Array | pa.ChunkedArray, names: Sequence[str]) -> pa.Array | pa.ChunkedArray:
    """Texts as int32 places among the names, null where they are none of them, or null themselves."""
    return pc.index_in(values, value_set=pa.array(names, values.type), skip_nulls=True)


def _named(values: pa.Array, name: str, keys: Keys, classes: int, known: ClassNames) -> npt.NDArray[np.int64]:
    if len(values):
        refuse_numbers(values.type, name, int(keys[0]))
    if pa.types.is_null(values.type):
        return np.empty(0, np.int64)
    places = numbered(values, known.names[:classes])
    row = pc.index(pc.is_null(places), True).as_py()
    if row >= 0:
        label, knows = values[row].as_py(), f"but the model knows the classes {told(known.names[:classes])}"
        if not label.strip():
            where = f"The label at key {keys[row]} is blank ({label!r}), {knows}"
            raise RowError(f"{where}. If it is none, write a null there (in a CSV nothing). {_REMEDY}")
        remedy = f"{_remedy_for_name(known, classes)}, or mend the label"
        raise RowError(f"The label at key {keys[row]} is {label!r}, {knows}. {remedy}.")
    return np.asarray(places.cast(pa.int64()).to_numpy(zero_copy_only=False))


def number_labels(values: pa.Array, name: str, keys: Keys) -> npt.NDArray[np.float64]:
    """Labels as float64 (rows,). Raises DataError naming the key of a null, NaN, infinity or text."""
    if is_text(values.type):
        raise RowError(f"The label column {name!r} is of type {values.type}, but the loss learns numbers. {_CLASSES}")
    refuse_nulls(values, f"{name} (label)", keys, _REMEDY)
    return numbers(values, f"{name} (label)", keys, MEND_THE_ROW)


def _whole_numbers(values: pa.Array, name: str, keys: Keys) -> npt.NDArray[np.int64]:
    if types.is_integer(values.type):
        return np.asarray(values.cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.int64)
    if not is_number(values.type):
        raise RowError(f"The label column {name!r} is of type {values.type}, but the model knows classes by number.")
    floats = numbers(values, f"{name} (label)", keys, MEND_THE_ROW)
    fractions = np.flatnonzero(floats != np.floor(floats))
    if len(fractions):
        raise RowError(
            f"The label at key {keys[fractions[0]]} is {floats[fractions[0]]}, but the loss needs a class number. "
            f"For numbers as labels choose a loss such as MSELoss."
        )
    return floats.astype(np.int64)


def _remedy_for_name(known: ClassNames, classes: int) -> str:
    if known.until is None:
        return "Name it under `classes` of the dataset"
    if len(known.names) < classes:
        return "Use a model that was trained with it"
    return f"Set num_classes to {classes + 1} or more"


def _remedy(label: int) -> str:
    return f"Set num_classes to {label + 1} or more" if label >= 0 else "Number the classes from 0"
