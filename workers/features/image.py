"""One column of uint8 pixels as rows of a fixed number of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.nulls import known
from shared.errors import DataError, RowError
from workers.features.columns import Keys, column
from workers.features.inputs import InputSpec
from workers.features.nulls import Description, Met, meet_nulls


class ImagePixels(Description, frozen=True, kw_only=True, tag="image", omit_defaults=True):
    """Where the pixels stand, and their shape."""

    column: str
    shape: tuple[int, int, int]  # channels, height, width


class ImageEncoder:
    """Pixels stay bytes until a batch of them is needed: a quarter of the scratch space of float32."""

    dtype = np.dtype(np.uint8)

    def __init__(self, description: ImagePixels) -> None:
        self.description = description
        self.columns = (description.column,)
        self.inputs = InputSpec(kind="image", shape=description.shape)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Nothing is fitted: pixels are divided by 255."""
        return {}

    @classmethod
    def restore(cls, description: ImagePixels, tensors: Mapping[str, npt.NDArray[Any]]) -> ImageEncoder:
        """The encoder whose `description` this is."""
        return cls(description)

    def encode(self, table: pa.Table, keys: Keys, met: Met | None = None) -> npt.NDArray[np.uint8]:
        """Rows of uint8 (rows, channels × height × width); a null is black.

        Raises DataError for another length, by key.
        """
        values = column(table, self.description.column)
        meet_nulls(values, self.description.column, keys, self.description, met)
        if not values.null_count:
            return self._pixels_of(values, keys)
        there = known(values)
        rows = np.zeros((len(values), self.inputs.width), np.uint8)
        if there.any():  # else its type says nothing
            rows[there] = self._pixels_of(values.drop_null(), keys[there])
        return rows

    def _pixels_of(self, values: pa.Array, keys: Keys) -> npt.NDArray[np.uint8]:
        name, size = self.description.column, prod(self.description.shape)
        if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            lengths, flat = pc.list_value_length(values), _pixels(values.flatten(), name)
        elif pa.types.is_fixed_size_list(values.type):
            lengths, flat = _constant(values.type.list_size, len(values)), _pixels(values.flatten(), name)
        elif _is_binary(values.type):
            binary = values.cast(pa.large_binary())
            lengths, flat = pc.binary_length(binary), _bytes(binary)
        else:
            raise DataError(f"Column {name!r} is of type {values.type}; an image is binary or a list of uint8.")
        self._refuse_other_lengths(np.asarray(lengths), size, keys)
        return flat.reshape(len(values), size)

    def _refuse_other_lengths(self, lengths: npt.NDArray[Any], size: int, keys: Keys) -> None:
        wrong = np.flatnonzero(lengths != size)
        if len(wrong):
            shape = list(self.description.shape)
            raise RowError(
                f"The image at key {keys[wrong[0]]} has {lengths[wrong[0]]} bytes, but the shape {shape} needs {size}. "
                f"Correct `image: shape` in config.yaml, or the row."
            )


def _is_binary(arrow_type: Any) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(arrow_type) for test in tests)


def _constant(length: int, rows: int) -> npt.NDArray[np.int64]:
    return np.full(rows, length)


def _bytes(values: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of all values, end to end, without a copy."""
    _, offsets_buffer, data = values.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    if len(values) == 0 or data is None:
        return np.empty(0, dtype=np.uint8)
    return np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]


def _pixels(values: pa.Array, name: str) -> npt.NDArray[np.uint8]:
    try:
        return np.asarray(values.cast(pa.uint8()).to_numpy(zero_copy_only=False), dtype=np.uint8)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise RowError(f"Column {name!r} holds a pixel that is not a whole number from 0 to 255: {error}.") from error
