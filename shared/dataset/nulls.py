"""Values that are not there: which they are, and what `nulls:` of a dataset says about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Dataset
from shared.dataset.manifest import MEND_THE_ROW
from shared.errors import RowError

OFFER_IMPUTE = "Or write `nulls: {features: impute}` for the dataset in config.yaml, in a new run."
OFFER_DROP = "Or write `nulls: {labels: drop}` for the dataset in config.yaml, in a new run, to leave such rows out."


def nulls_of(values: pa.Array | pa.ChunkedArray) -> Any:
    """Which values are null, as Arrow booleans; NaN in a column of floats is one."""
    return pc.is_null(values, nan_is_null=pa.types.is_floating(values.type))


def count_nulls(values: pa.Array | pa.ChunkedArray) -> int:
    """How many values are null."""
    if not pa.types.is_floating(values.type):
        return int(values.null_count)
    return int(pc.sum(nulls_of(values)).as_py() or 0)


def known(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which values are there, (rows,)."""
    return np.array(pc.invert(nulls_of(values)), dtype=np.bool_)


def refuse_nulls(rows: pa.Table, first_key: int, file: str, dataset: Dataset, features: Sequence[str]) -> None:
    """Raise RowError for the first null that `nulls:` refuses, with its file, its key and its column."""
    where = f"in {file}. {MEND_THE_ROW}"
    if dataset.nulls.labels == "refuse" and dataset.label in rows.column_names:
        told = _first_null(rows.column(dataset.label), first_key)
        if told:
            raise RowError(f"dataset {dataset.name}: the label in {dataset.label} {told}, {where} {OFFER_DROP}")
    if dataset.nulls.features == "refuse":
        for name in features:
            told = _first_null(rows.column(name), first_key) if name in rows.column_names else ""
            if told:
                raise RowError(f"dataset {dataset.name}: the feature {name} {told}, {where} {OFFER_IMPUTE}")


def _first_null(values: pa.ChunkedArray, first_key: int) -> str:
    """What is to be told of the first null; empty if there is none."""
    if not count_nulls(values):
        return ""
    row = int(pc.index(nulls_of(values), True).as_py())
    return f"of key {first_key + row} is {values[row].as_py() or 'null'}"
