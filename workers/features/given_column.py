"""One column as somebody holds it, a list, an array or a pandas Series, as an Arrow array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from shared.errors import DataError
from workers.features.given_images import Shape, images_of, is_one_image


def is_one_value(values: Any, image: Shape | None) -> bool:
    """Whether it is the value of one row, not a column. `image`: the shape of one, in a column of images."""
    if image is not None and is_one_image(values, image):
        return True
    if isinstance(values, str | bytes | bytearray | memoryview | Mapping) or not hasattr(values, "__len__"):
        return True
    return getattr(values, "ndim", 1) == 0


def arrow_of(values: Any, name: str, image: Shape | None) -> pa.Array | pa.ChunkedArray:
    """The same values in their order; None, NaN, NaT and pandas' NA are nulls. Raises DataError naming the column."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    try:
        if image is not None:
            return pa.array(images_of(values, name, image), from_pandas=True)
        column = pa.array(_readable(values), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        told = str(error).rstrip(".")
        raise DataError(f"Column {name!r} is no column of one kind of values: {told}. Give it one.") from error
    return pa.nulls(len(column)) if column.null_count == len(column) else column  # of NaN alone is no column of floats


def _readable(values: Any) -> Any:
    """An array as Arrow can read it: in the byte order of this machine."""
    if isinstance(values, np.ndarray) and not values.dtype.isnative:
        return values.astype(values.dtype.newbyteorder("="))
    return values
