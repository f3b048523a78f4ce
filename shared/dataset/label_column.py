"""A column of labels as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.by_halves import first_failing
from shared.dataset.column_kinds import kind_of
from shared.dataset.manifest import MEND_THE_ROW
from shared.errors import RowError


def label_numbers(column: pa.ChunkedArray, first_key: int, file: str, dataset: Dataset) -> npt.NDArray[Any]:
    """Labels of rows of a file from `first_key` on: int64 for whole numbers and booleans without nulls, else float64.

    Raises RowError for what is no number, or none that is held exactly.
    """
    name, kind = f"dataset {dataset.name}: the label in {dataset.label}", kind_of(column.type)
    if kind not in ("whole number", "number", "nothing"):
        raise RowError(
            f"{name} is {column.type} from key {first_key} on; numbers or texts are needed, of one kind in all "
            "files. Name another `label:` in config.yaml."
        )
    wanted = pa.int64() if kind == "whole number" and not column.null_count else pa.float64()
    try:
        return np.asarray(column.cast(wanted).to_numpy())
    except pa.ArrowInvalid as error:
        row = first_failing(len(column), lambda first, stop: _fits(column.slice(first, stop - first), wanted))
        said = f"{column[row].as_py()}, which no {wanted} holds exactly"
        raise RowError(f"{name} of key {first_key + row} in {file} is {said}. {MEND_THE_ROW}") from error


def _fits(column: pa.ChunkedArray, wanted: pa.DataType) -> bool:
    try:
        column.cast(wanted)
    except pa.ArrowInvalid:
        return False
    return True
