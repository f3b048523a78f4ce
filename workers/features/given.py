"""Rows in whatever their owner holds them, as a table with the columns that a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import DataError
from workers.features.encoder import FeatureEncoder
from workers.features.given_column import arrow_of, is_one_value
from workers.features.image import ImageEncoder
from workers.features.table import TableEncoder

_LISTED = 20
Rows = Any  # a table of Arrow or of who speaks its interface, a DataFrame, a dict, a list of dicts, a numpy array
_KINDS = (
    "a pyarrow Table or RecordBatch, a pandas DataFrame, a dict of columns, a list of dicts, a dict of single values, "
    "a numpy array with named fields, or a numpy array (rows, columns) of numbers"
)


def table_of(rows: Rows, encoder: FeatureEncoder) -> pa.Table:
    """A table with at least the columns that the encoder reads; the values are those of the rows, in their order.

    Raises DataError for what are no rows, columns that are missing or twice there, and values of no one kind.
    """
    given = rows if isinstance(rows, pa.Table) else _columns(rows, encoder)
    names = list(given.column_names if isinstance(given, pa.Table) else given)
    _refuse_missing(names, rows, encoder)
    if isinstance(given, pa.Table):
        _refuse_twice(names, encoder)
        return given
    shape = encoder.description.shape if isinstance(encoder, ImageEncoder) else None
    columns = {name: arrow_of(given[name], name, shape) for name in encoder.columns}
    lengths = {name: len(values) for name, values in columns.items()}
    if len({*lengths.values()}) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"The columns have different numbers of values: {told}. Give each one for every row.")
    return pa.table(columns)


def _columns(rows: Rows, encoder: FeatureEncoder) -> pa.Table | Mapping[str, Any]:
    """Column by name, in any form; or a table."""
    if _is_frame(rows):
        return _of_frame(rows, encoder)
    if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__arrow_c_array__"):
        return _of_arrow(rows)
    if isinstance(rows, Mapping):
        return _of_dict(rows, encoder)
    if isinstance(rows, np.ndarray | np.void):
        return _of_fields(rows) if rows.dtype.names else _of_matrix(np.asanyarray(rows), encoder)
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes | bytearray):
        return _of_list(rows, encoder)
    raise _no_rows(rows)


def _is_frame(rows: Rows) -> bool:
    """Whether it is a pandas DataFrame. pandas is not imported for that: who has a frame has done so."""
    kinds = type(rows).__mro__
    return any(one.__name__ == "DataFrame" and one.__module__.partition(".")[0] == "pandas" for one in kinds)


def _of_frame(frame: Rows, encoder: FeatureEncoder) -> dict[str, Any]:
    """The columns of a DataFrame by the text of their labels; the index is none."""
    names = [str(label) for label in frame.columns]
    _refuse_twice(names, encoder)
    return {name: frame.iloc[:, number] for number, name in enumerate(names)}


def _of_arrow(rows: Rows) -> pa.Table:
    try:
        return pa.table(rows)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise _no_rows(rows) from error


def _no_rows(rows: object) -> DataError:
    """What to hand over instead."""
    one = " Of a Series that is one row, row.to_dict() makes one." if type(rows).__name__ == "Series" else ""
    return DataError(f"The rows are a {type(rows).__name__}. Hand over {_KINDS}.{one}")


def _of_dict(columns: Mapping[str, Any], encoder: FeatureEncoder) -> dict[str, Any]:
    """A dict of columns as it is; one of single values as one row."""
    shape = encoder.description.shape if isinstance(encoder, ImageEncoder) else None
    wanted = {name: columns[name] for name in encoder.columns if name in columns}
    single = [name for name, values in wanted.items() if is_one_value(values, shape)]
    if single and len(single) < len(wanted):
        several = next(name for name in wanted if name not in single)
        raise DataError(
            f"Column {single[0]!r} is one value, and {several!r} has several. Give each column a value for every row; "
            "or, for one row, each column one value."
        )
    wrapped = {name: [values] for name, values in wanted.items()} if single else wanted
    return {**dict.fromkeys(columns), **wrapped}


def _of_fields(rows: npt.NDArray[Any] | np.void) -> dict[str, Any]:
    """The fields of a numpy array that names them."""
    array = np.atleast_1d(rows)
    if array.ndim != 1 or array.dtype.names is None:
        raise DataError(f"An array with named fields has one dimension, the rows; this one is of shape {array.shape}.")
    return {name: array[name] for name in array.dtype.names}


def _of_matrix(array: npt.NDArray[Any], encoder: FeatureEncoder) -> dict[str, Any]:
    """The columns of an array (rows, columns) without names, which is only unambiguous where all are numbers."""
    columns = ", ".join(encoder.columns)
    if not isinstance(encoder, TableEncoder) or encoder.description.categories or encoder.description.times is not None:
        raise DataError(
            f"An array without names can stand for numbers alone, and the model reads {_other_than_numbers(encoder)}. "
            f"Hand over a dict of columns or a DataFrame with {columns}."
        )
    if array.ndim != 2 or array.shape[1] != len(encoder.columns):
        one = " One row is array[numpy.newaxis, :]." if array.shape == (len(encoder.columns),) else ""
        raise DataError(
            f"The array is of shape {array.shape}, and the model reads (rows, {len(encoder.columns)}), with the "
            f"columns in this order: {columns}.{one}"
        )
    return {name: array[:, number] for number, name in enumerate(encoder.columns)}


def _other_than_numbers(encoder: FeatureEncoder) -> str:
    if not isinstance(encoder, TableEncoder):
        return f"{encoder.inputs.kind}s ({', '.join(encoder.columns)})"
    if encoder.description.categories:
        return f"texts ({', '.join(encoder.description.categories)})"
    return f"times ({encoder.columns[-1]})"


def _of_list(rows: Sequence[Any], encoder: FeatureEncoder) -> dict[str, Any]:
    """The columns of rows that are dicts. A row may lack one, which is a null then, as in JSON lines."""
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DataError(
                f"Row {number} of the list is a {type(row).__name__}, not a dict. Name its values, as in "
                f"{{{encoder.columns[0]!r}: …}}, or hand over {_KINDS}."
            )
    there = encoder.columns if not rows else dict.fromkeys(name for row in rows for name in row)
    wanted = {name: [row.get(name) for row in rows] for name in encoder.columns if name in there}
    return {**dict.fromkeys(there), **wanted}


def _refuse_missing(names: Sequence[str], rows: Rows, encoder: FeatureEncoder) -> None:
    """Raise DataError with all columns that the rows lack."""
    missing = [name for name in encoder.columns if name not in names]
    if not missing:
        return
    index = [name for name in missing if _is_frame(rows) and name in rows.index.names]
    hint = f" {', '.join(index)} is in the frame's index, which is not read: frame.reset_index()." if index else ""
    raise DataError(
        f"The rows lack {', '.join(map(repr, missing))}. They have {_few(names) or 'no columns'}; the model reads "
        f"{_few(encoder.columns)}.{hint}"
    )


def _few(names: Sequence[str]) -> str:
    """Some of many."""
    more = f" … ({len(names):,} in all)" if len(names) > _LISTED else ""
    return ", ".join(map(str, names[:_LISTED])) + more


def _refuse_twice(names: Sequence[str], encoder: FeatureEncoder) -> None:
    """Raise DataError for a column that is read and of which there are several."""
    twice = [name for name in encoder.columns if names.count(name) > 1]
    if twice:
        raise DataError(f"Several columns are called {twice[0]!r}, and the model reads one. Leave the others out.")
