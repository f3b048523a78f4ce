"""Columns of a table as one row of float32: numbers standardised, texts one-hot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import DataError
from workers.features.columns import Keys, column, is_number, is_text, numbers, refuse_non_finite, refuse_nulls
from workers.features.inputs import InputSpec
from workers.features.moments import RunningMoments

MAX_CATEGORIES = 10_000  # one float32 each in every row; beyond it the column is an identifier, not a category
_LARGEST = 1e150  # its square is still a float, which the deviation needs


class TableColumns(msgspec.Struct, frozen=True, kw_only=True, tag="table"):
    """The names behind the numbers: columns in order, and the categories of those that are text."""

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]  # text column → its sorted categories in the first training set


class TableEncoder:
    """Numbers become (x − mean) / std of the training set, constants 0; a text becomes one 1 among its categories.

    An unknown category is all zero. A row holds the numeric columns first, then the categories of each text column.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, description: TableColumns, mean: npt.NDArray[np.float64], std: npt.NDArray[np.float64]) -> None:
        self.description = description
        self.columns = description.columns
        self._mean, self._std = mean, std
        self._numeric = [name for name in description.columns if name not in description.categories]
        width = len(self._numeric) + sum(len(categories) for categories in description.categories.values())
        self.inputs = InputSpec(kind="table", shape=(width,))

    def tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """The fitted arrays, both (numeric columns,)."""
        return {"mean": self._mean, "std": self._std}

    @classmethod
    def restore(cls, description: TableColumns, tensors: Mapping[str, npt.NDArray[np.float64]]) -> TableEncoder:
        """The encoder whose `description` and `tensors` these are."""
        return cls(description, tensors["mean"], tensors["std"])

    def encode(self, table: pa.Table, keys: Keys) -> npt.NDArray[np.float32]:
        """Rows of float32 (rows, width). Raises DataError naming column and key for null, NaN, inf, wrong types."""
        rows = np.zeros((table.num_rows, self.inputs.width), dtype=np.float32)
        for index, name in enumerate(self._numeric):
            exact = numbers(column(table, name), name, keys)
            with np.errstate(over="ignore"):
                rows[:, index] = (exact - self._mean[index]) / self._std[index]
            refuse_non_finite(rows[:, index], f"{name} (standardised)", keys)
        start = len(self._numeric)
        for name, categories in self.description.categories.items():
            _set_ones(rows, start, _codes(column(table, name), categories, name, keys))
            start += len(categories)
        return rows


def fit_table(columns: Iterable[str], pieces: Iterable[tuple[Keys, pa.Table]]) -> TableEncoder:
    """Learn mean, std and categories in one pass. Raises DataError for values that cannot be used."""
    columns = tuple(columns)
    seen: dict[str, set[str]] = {}
    numeric: list[str] | None = None
    for keys, table in pieces:
        if numeric is None:
            numeric, seen = _kinds(columns, table)
            moments = RunningMoments(len(numeric))
        for name, categories in seen.items():
            _learn_categories(categories, column(table, name), name, keys)
        moments.add(_numeric_block(table, numeric, keys))
    if numeric is None:
        raise DataError("There are no rows to learn the features from: the training set is empty.")
    description = TableColumns(columns=columns, categories={name: tuple(sorted(texts)) for name, texts in seen.items()})
    return TableEncoder(description, moments.mean, moments.std)


def _kinds(columns: tuple[str, ...], table: pa.Table) -> tuple[list[str], dict[str, set[str]]]:
    """Which columns are numbers, and an empty set for each that is text."""
    types = {name: column(table, name).type for name in columns}
    for name, arrow_type in types.items():
        if not is_number(arrow_type) and not is_text(arrow_type):
            raise DataError(
                f"Column {name!r} is of type {arrow_type}, which is no feature of a table: features are numbers, "
                f"booleans and text. List the wanted columns with `features:` in config.yaml."
            )
    numeric = [name for name in columns if is_number(types[name])]
    return numeric, {name: set() for name in columns if is_text(types[name])}


def _numeric_block(table: pa.Table, numeric: list[str], keys: Keys) -> npt.NDArray[np.float64]:
    block = np.empty((table.num_rows, len(numeric)))
    for index, name in enumerate(numeric):
        block[:, index] = numbers(column(table, name), name, keys)
        too_large = np.flatnonzero(np.abs(block[:, index]) > _LARGEST)
        if len(too_large):
            row = too_large[0]
            raise DataError(
                f"Column {name!r} is {block[row, index]} at key {keys[row]}, too large; rescale the column."
            )
    return block


def _learn_categories(seen: set[str], values: pa.Array, name: str, keys: Keys) -> None:
    _refuse_other_than_text(values, name, keys)
    seen.update(pc.unique(values).to_pylist())
    if len(seen) > MAX_CATEGORIES:
        raise DataError(
            f"Column {name!r} has more than {MAX_CATEGORIES} different texts, too many to one-hot encode. "
            f"Leave it out with `features:` in config.yaml, or learn from it alone with `text: {name}`."
        )


def _codes(values: pa.Array, categories: tuple[str, ...], name: str, keys: Keys) -> npt.NDArray[np.int64]:
    """The position of each value among the categories, −1 for an unknown one."""
    _refuse_other_than_text(values, name, keys)
    found = pc.index_in(values, value_set=pa.array(categories, type=values.type))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _refuse_other_than_text(values: pa.Array, name: str, keys: Keys) -> None:
    if not is_text(values.type):
        raise DataError(
            f"Column {name!r} is of type {values.type} at key {keys[0] if len(keys) else 0}, but was text before. "
            f"Give it one type in all files."
        )
    refuse_nulls(values, name, keys)


def _set_ones(rows: npt.NDArray[Any], start: int, codes: npt.NDArray[np.int64]) -> None:
    known = np.flatnonzero(codes >= 0)
    rows[known, start + codes[known]] = 1.0
