"""Images as somebody holds them, arrays or lists of pixels or their bytes, as Arrow can take them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.errors import DataError

Shape = tuple[int, int, int]  # channels, height, width


def is_one_image(values: Any, shape: Shape) -> bool:
    """Whether it is the pixels of one image."""
    pixels = _pixels(values)
    return pixels is not None and pixels.shape in _shapes(shape)


def images_of(values: Any, name: str, shape: Shape) -> Any:
    """A column of images for `pyarrow.array`. Raises DataError naming the column."""
    if not len(values):
        return np.empty(0, "S1")
    stacked = _pixels(values)
    if stacked is not None:
        if stacked.ndim < 2 or stacked.shape[1:] not in _shapes(shape):
            raise _other_shape(stacked, name, shape)
        return list(_whole(stacked, name).reshape(len(stacked), prod(shape)))
    if isinstance(values, np.ndarray) and values.dtype.kind in "SV":  # which as texts would lose the zeros behind
        return [one.tobytes() for one in np.ascontiguousarray(values)[:, np.newaxis]]
    return [_one(image, name, shape) for image in values]


def _one(image: Any, name: str, shape: Shape) -> Any:
    """Its pixels in a row; bytes and nulls as they are."""
    pixels = _pixels(image)
    if pixels is None:
        return bytes(image) if isinstance(image, bytearray | memoryview) else image
    if pixels.shape not in _shapes(shape):
        raise _other_shape(pixels, name, shape)
    return _whole(pixels, name).reshape(prod(shape))


def _pixels(values: Any) -> npt.NDArray[Any] | None:
    """An array or list of numbers as an array; None for anything else."""
    if not isinstance(values, np.ndarray | list | tuple):
        return None
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return None
    return array if array.ndim and array.dtype.kind in "biuf" else None


def _shapes(shape: Shape) -> set[tuple[int, ...]]:
    """Those of an array that holds one image: a channel that is alone may be left out."""
    return {(prod(shape),), shape} | ({shape[1:]} if shape[0] == 1 else set())


def _whole(pixels: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Raises DataError for fractions, which would be read as nearly black where they are from 0 to 1."""
    if pixels.dtype.kind == "f":
        raise DataError(
            f"Column {name!r} holds pixels of {pixels.dtype}, and they are whole numbers from 0 to 255. Of "
            'numbers from 0 to 1 make some: (255 * images).round().astype("uint8").'
        )
    return pixels


def _other_shape(pixels: npt.NDArray[Any], name: str, shape: Shape) -> DataError:
    return DataError(
        f"Column {name!r} has pixels of shape {list(pixels.shape)}; an image is {list(shape)} (channels, height, "
        f"width), or these {prod(shape)} in a row, and images have one dimension more in front."
    )
