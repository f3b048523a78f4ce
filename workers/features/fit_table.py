"""Learning what a table's columns become: mean and deviation of numbers, categories of texts, in one pass."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import Nulls
from shared.dataset.nulls import count_nulls
from shared.errors import DataError, RowError
from workers.features.columns import NULL_REMEDY, Keys, column, is_number, is_text, numbers_or_nan, refuse_nulls
from workers.features.moments import RunningMoments
from workers.features.table import TableColumns, TableEncoder, refuse_other_than_text
from workers.features.times import Centre, TimeColumn

MAX_CATEGORIES = 10_000  # one float32 each in every row; beyond it the column is an identifier, not a category
_LARGEST = 1e150  # its square is still a float, which the deviation needs


def fit_table(
    columns: tuple[str, ...], pieces: Iterable[tuple[Keys, pa.Table]], nulls: Nulls, times: TimeColumn | None = None
) -> TableEncoder:
    """Learn means, deviations and categories in one pass. Raises DataError for values that cannot be used."""
    seen: dict[str, set[str]] = {}
    numeric: list[str] | None = None
    with_nulls: set[str] = set()
    centre = None if times is None else Centre(times)
    for keys, table in pieces:
        if numeric is None:
            numeric, seen = _kinds(columns, table)
            moments = RunningMoments(len(numeric))
        with_nulls |= _with_nulls(table, columns, keys, nulls)
        for name, categories in seen.items():
            _learn_categories(categories, column(table, name), name, keys)
        moments.add(_numeric_block(table, numeric, keys))
        if centre is not None:
            centre.add(table, keys)
    if numeric is None:
        raise DataError("There are no rows to learn the features from: the training set is empty.")
    times, middle = (None, None) if centre is None else centre.fitted()
    description = TableColumns(
        columns=columns,
        categories={name: tuple(sorted(texts)) for name, texts in seen.items()},
        nulls=nulls.features,
        indicators=tuple(name for name in columns if name in with_nulls) if nulls.indicator else (),
        constant=tuple(name for name, varies in zip(numeric, moments.varies, strict=True) if not varies),
        times=times,
    )
    return TableEncoder(description, moments.mean, moments.std, middle)


def scale_constants(encoder: TableEncoder, pieces: Iterable[tuple[Keys, pa.Table]]) -> TableEncoder:
    """Give the columns that were constant so far the scale of these rows, where they vary in them; so with times.

    A model has learnt nothing of them before: they were 0 in every row. Raises DataError for unusable values.
    """
    constant, times = list(encoder.description.constant), encoder.description.times
    moments, centre = RunningMoments(len(constant)), Centre(times) if times is not None and times.constant else None
    for keys, table in pieces:
        moments.add(_numeric_block(table, constant, keys))
        if centre is not None:
            centre.add(table, keys)
    tensors = {name: tensor.copy() for name, tensor in encoder.tensors().items()}
    mean, std = tensors["mean"], tensors["std"]
    for index, name in enumerate(constant):
        if moments.varies[index]:
            place = encoder.numeric.index(name)
            mean[place], std[place] = moments.mean[index], moments.std[index]
    still = tuple(name for name, varies in zip(constant, moments.varies, strict=True) if not varies)
    if centre is not None:
        times, tensors["centre"] = centre.fitted(tensors["centre"])
    return encoder.restore(msgspec.structs.replace(encoder.description, constant=still, times=times), tensors)


def grow_categories(encoder: TableEncoder, pieces: Iterable[tuple[Keys, pa.Table]]) -> TableEncoder:
    """Give the categories of these rows that are new a place behind those of their column, up to `MAX_CATEGORIES`.

    Raises DataError for values that are no text.
    """
    known = encoder.description.categories
    new: dict[str, set[str]] = {name: set() for name in known}
    for keys, table in pieces:
        for name, texts in new.items():
            values = column(table, name)
            refuse_other_than_text(values, name, keys)
            texts.update(pc.unique(values.drop_null()).to_pylist())
    categories = {
        name: (*known[name], *sorted(texts.difference(known[name])))[: max(MAX_CATEGORIES, len(known[name]))]
        for name, texts in new.items()
    }
    return encoder.restore(msgspec.structs.replace(encoder.description, categories=categories), encoder.tensors())


def _kinds(columns: tuple[str, ...], table: pa.Table) -> tuple[list[str], dict[str, set[str]]]:
    """Which columns are numbers, and an empty set for each that is text."""
    types = {name: column(table, name).type for name in columns}
    for name, arrow_type in types.items():
        if not is_number(arrow_type) and not is_text(arrow_type):
            raise DataError(
                f"Column {name!r} is of type {arrow_type}, which is no feature of a table: features are numbers, "
                f"booleans, text and dates. List the wanted columns with `features:` in config.yaml."
            )
    numeric = [name for name in columns if is_number(types[name])]
    return numeric, {name: set() for name in columns if is_text(types[name])}


def _with_nulls(table: pa.Table, columns: tuple[str, ...], keys: Keys, nulls: Nulls) -> set[str]:
    """The columns that hold nulls. Raises DataError, naming column and key, where they are refused."""
    if nulls.features == "refuse":
        for name in columns:
            refuse_nulls(column(table, name), name, keys, NULL_REMEDY)
    return {name for name in columns if nulls.indicator and count_nulls(column(table, name))}


def _numeric_block(table: pa.Table, numeric: list[str], keys: Keys) -> npt.NDArray[np.float64]:
    """The numbers, (rows, columns); NaN where they are null."""
    block = np.empty((table.num_rows, len(numeric)))
    for index, name in enumerate(numeric):
        block[:, index] = numbers_or_nan(column(table, name), name, keys)
        too_large = np.flatnonzero(np.abs(block[:, index]) > _LARGEST)
        if len(too_large):
            row = too_large[0]
            raise RowError(f"Column {name!r} is {block[row, index]} at key {keys[row]}, too large; rescale the column.")
    return block


def _learn_categories(seen: set[str], values: pa.Array, name: str, keys: Keys) -> None:
    refuse_other_than_text(values, name, keys)
    seen.update(pc.unique(values.drop_null()).to_pylist())
    if len(seen) > MAX_CATEGORIES:
        raise RowError(
            f"Column {name!r} has more than {MAX_CATEGORIES} different texts, too many to one-hot encode. "
            f"Leave it out with `features:` in config.yaml, or learn from it alone with `text: {name}`."
        )
