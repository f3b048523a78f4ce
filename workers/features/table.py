"""Columns of a table as one row of float32: numbers standardised, texts one-hot, times as points on circles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.nulls import known
from shared.errors import RowError
from workers.features.columns import Keys, column, is_text, numbers_or_nan, refuse_non_finite, texts_of
from workers.features.inputs import InputSpec
from workers.features.nulls import Description, Met, meet_nulls
from workers.features.times import TimeColumn, centred, points


class TableColumns(Description, frozen=True, kw_only=True, tag="table", omit_defaults=True):
    """The names behind the numbers: columns in order, and the categories of those that are text."""

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]  # text column → its sorted categories in the first training set
    indicators: tuple[str, ...] = ()  # columns whose nulls are a feature of their own
    constant: tuple[str, ...] = ()  # numeric columns that have not varied yet, and so have no scale
    times: TimeColumn | None = None  # what is seen of a row's timestamp

    @property
    def waiting(self) -> tuple[str, ...]:
        """The columns that have not varied yet, or not in all that is seen of them."""
        return read_with(self.constant, self.times if self.times is not None and self.times.constant else None)

    @property
    def unvaried(self) -> tuple[str, ...]:
        """What has not varied yet, in words."""
        of_time = () if self.times is None else (f"{one} of {self.times.column}" for one in self.times.constant)
        return (*self.constant, *of_time)


def read_with(columns: tuple[str, ...], times: TimeColumn | None) -> tuple[str, ...]:
    """These columns and that of times."""
    return columns if times is None or times.column in columns else (*columns, times.column)


class TableEncoder:
    """Numbers become (x − mean) / std of the training set; a text becomes one 1 among its categories.

    A null number is the mean, so 0. A column that has not varied yet is 0 whatever it holds: no weights have learnt
    anything of it. A null text and an unknown category are all zero. A row holds the numeric columns first, then the
    categories of each text column, then a 1 for each indicated column that is null, then what is seen of its time.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        description: TableColumns,
        mean: npt.NDArray[np.float64],
        std: npt.NDArray[np.float64],
        centre: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """`centre`: where there are times, the middle of their points."""
        self.description = description
        self._centre = centre
        times = description.times
        self.columns = read_with(description.columns, times)
        self._mean, self._std = mean, std
        self.numeric = [name for name in description.columns if name not in description.categories]
        self._scale = np.where([name in description.constant for name in self.numeric], np.inf, std)
        width = len(self.numeric) + sum(len(categories) for categories in description.categories.values())
        width += len(description.indicators) + (times.width if times else 0)
        self.inputs = InputSpec(kind="table", shape=(width,))

    def places_in(self, grown: TableEncoder) -> list[int]:
        """Where the numbers of a row stand in the row of an encoder that has more categories."""
        places, start = list(range(len(self.numeric))), len(self.numeric)
        for name, categories in self.description.categories.items():
            places += range(start, start + len(categories))
            start += len(grown.description.categories[name])
        return [*places, *range(start, start + self.inputs.width - len(places))]

    def tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """The fitted arrays: `mean` and `std` (numeric columns,), and `centre` (times.width,) where there are times."""
        return {"mean": self._mean, "std": self._std} | ({} if self._centre is None else {"centre": self._centre})

    @classmethod
    def restore(cls, description: TableColumns, tensors: Mapping[str, npt.NDArray[np.float64]]) -> TableEncoder:
        """The encoder whose `description` and `tensors` these are."""
        return cls(description, tensors["mean"], tensors["std"], tensors.get("centre"))

    def encode(self, table: pa.Table, keys: Keys, met: Met | None = None) -> npt.NDArray[np.float32]:
        """Rows of float32 (rows, width). Raises DataError naming column and key for inf and wrong types."""
        rows = np.zeros((table.num_rows, self.inputs.width), dtype=np.float32)
        for index, name in enumerate(self.numeric):
            self._standardise(column(table, name), index, keys, rows[:, index], met)
        start = len(self.numeric)
        for name, categories in self.description.categories.items():
            texts = texts_of(column(table, name))
            meet_nulls(texts, name, keys, self.description, met)
            _set_ones(rows, start, _codes(texts, categories, name, keys, met))
            start += len(categories)
        for index, name in enumerate(self.description.indicators, start):
            rows[:, index] = ~known(column(table, name))
        if self.description.times is not None and self._centre is not None:
            found = points(table, self.description.times, keys)
            centred(found, self._centre, self.description.times)
            rows[:, -self.description.times.width :] = found
        return rows

    def _standardise(
        self, values: pa.Array, index: int, keys: Keys, into: npt.NDArray[np.float32], met: Met | None
    ) -> None:
        """One numeric column of a table."""
        name = self.numeric[index]
        exact = numbers_or_nan(values, name, keys)
        meet_nulls(values, name, keys, self.description, met)
        with np.errstate(over="ignore"):
            into[:] = (exact - self._mean[index]) / self._scale[index]
        into[np.isnan(into)] = 0
        refuse_non_finite(into, f"{name} (standardised)", keys)
        if met is not None:
            met.note_numbers(name, into)


def refuse_other_than_text(values: pa.Array, name: str, keys: Keys) -> None:
    """Raise DataError for a column that was text before, and is not here."""
    if not is_text(values.type):
        raise RowError(
            f"Column {name!r} is of type {values.type} at key {keys[0] if len(keys) else 0}, but was text before. "
            f"Give it one type in all files."
        )


def _codes(
    values: pa.Array, categories: tuple[str, ...], name: str, keys: Keys, met: Met | None
) -> npt.NDArray[np.int64]:
    """The position of each value among the categories, −1 for an unknown one."""
    refuse_other_than_text(values, name, keys)
    found = pc.index_in(values, value_set=pa.array(categories, type=values.type))
    if met is not None and found.null_count > values.null_count:
        met.note_unknown(name, values.filter(found.is_null()).drop_null())
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _set_ones(rows: npt.NDArray[Any], start: int, codes: npt.NDArray[np.int64]) -> None:
    known_ones = np.flatnonzero(codes >= 0)
    rows[known_ones, start + codes[known_ones]] = 1.0
