"""Arrow columns as numpy arrays; what cannot be a number, text or image of the declared shape is refused by key."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import days, kind_of, plain_type
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import OFFER_IMPUTE, nulls_of
from shared.errors import DataError, RowError

Keys = npt.NDArray[np.int64]
_REMEDY = f"{MEND_THE_ROW} Or leave the column out with `features:` in config.yaml, in a new run."
NULL_REMEDY = f"{MEND_THE_ROW} {OFFER_IMPUTE}"


def column(table: pa.Table, name: str) -> pa.Array:
    """One column in one piece: dictionaries and views as what they stand for, moments as days since 1970.

    Raises DataError if the table lacks it.
    """
    values = as_it_is(table, name)
    return days(values) if kind_of(values.type) == "time" else values


def as_it_is(table: pa.Table, name: str) -> pa.Array:
    """The same, but moments as they are written. Raises DataError if the table lacks it."""
    if name not in table.column_names:
        raise DataError(
            f"Column {name!r} is missing; there are {', '.join(table.column_names) or 'none'}. "
            f"The model was trained with it, or config.yaml names it: provide it under this name."
        )
    values = table.column(name).combine_chunks()
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return values.cast(plain_type(values.type))


def is_number(arrow_type: Any) -> bool:
    """Whether values of this type are standardised as numbers; a column of nulls alone may become one."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    return any(bool(test(arrow_type)) for test in tests)


def is_text(arrow_type: Any) -> bool:
    """Whether values of this type are text."""
    return bool(pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type))


def texts_of(values: pa.Array) -> pa.Array:
    """A column of nulls alone, which says no type, as one of texts; others as they are."""
    return values.cast(pa.string()) if pa.types.is_null(values.type) else values


def refuse_nulls(values: pa.Array, name: str, keys: Keys, remedy: str = _REMEDY) -> None:
    """Raise DataError for the first null or NaN, naming column and key."""
    row = pc.index(nulls_of(values), True).as_py()
    if row >= 0:
        raise RowError(f"Column {name!r} is {values[row].as_py() or 'null'} at key {keys[row]}. {remedy}")


def numbers(values: pa.Array, name: str, keys: Keys, remedy: str = _REMEDY) -> npt.NDArray[np.float64]:
    """Numbers and booleans as float64 (rows,). Raises DataError for null, NaN, inf and anything else."""
    if is_number(values.type):
        refuse_nulls(values, name, keys, remedy)
    floats = numbers_or_nan(values, name, keys, remedy)
    refuse_non_finite(floats, name, keys, remedy)
    return floats


def numbers_or_nan(values: pa.Array, name: str, keys: Keys, remedy: str = _REMEDY) -> npt.NDArray[np.float64]:
    """Numbers and booleans as float64 (rows,), nulls as NaN. Raises DataError for inf and anything else."""
    if not is_number(values.type):
        raise RowError(
            f"Column {name!r} is of type {values.type} at key {keys[0] if len(keys) else 0}, where a number is needed. "
            f"Convert it, or leave it out with `features:` in config.yaml."
        )
    floats = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    infinite = np.isinf(floats)
    if infinite.any():
        refuse_non_finite(np.where(infinite, floats, 0), name, keys, remedy)
    return floats


def refuse_non_finite(values: npt.NDArray[Any], name: str, keys: Keys, remedy: str = _REMEDY) -> None:
    """Raise DataError for the first NaN or infinity in (rows,), naming column and key."""
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise RowError(f"Column {name!r} is {values[row]} at key {keys[row]}. {remedy}")
