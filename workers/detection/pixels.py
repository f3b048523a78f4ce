"""Images as rows of pixels from 0 to 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.dataset.table import TableDataset
from workers.detection.rows import Keys, read
from workers.features.image import ImageEncoder, ImagePixels


def image_width(dataset: TableDataset) -> int:
    """How many numbers an image of the dataset is."""
    return _encoder(dataset).inputs.width


def pixels_of(dataset: TableDataset, keys: Keys) -> npt.NDArray[np.float64]:
    """(rows, width). Raises DataError."""
    encoder = _encoder(dataset)
    return encoder.encode(read(dataset, encoder.columns, keys), keys).astype(np.float64) / 255


def _encoder(dataset: TableDataset) -> ImageEncoder:
    image = dataset.config.image
    assert image is not None, "the dataset is of images"
    return ImageEncoder(ImagePixels(column=image.column, shape=image.shape, nulls="impute"))
