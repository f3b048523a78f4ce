"""The current model, as a strategy asks it: rows are read and predicted piece by piece, on the worker's device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from shared.dataset.table import TableDataset
from shared.strategies.strategy import Keys
from workers.loaded_model import LoadedModel

_ROWS_AT_ONCE = 65_536


class AskedModel:
    """A model and the rows that it may be asked about."""

    def __init__(self, trigger_id: int, model: LoadedModel, dataset: TableDataset) -> None:
        self._trigger_id, self._model, self._dataset = trigger_id, model, dataset

    @property
    def trigger_id(self) -> int:
        """The trigger that it is of."""
        return self._trigger_id

    def predictions(self, keys: Keys) -> Iterator[tuple[Keys, npt.NDArray[np.float32]]]:
        """Probabilities (n, classes), or values (n,), of ascending keys. Raises DataError, TrainingError for NaN."""
        for some, rows in self._encoded(keys):
            yield some, self._model.predict_encoded(rows).read()

    def embeddings(self, keys: Keys) -> Iterator[tuple[Keys, npt.NDArray[np.float64]]]:
        """What enters the last linear layer, (n, width). Raises DataError, ConfigurationError if it has none."""
        for some, rows in self._encoded(keys):
            yield some, self._model.embed(rows)

    def _encoded(self, keys: Keys) -> Iterator[tuple[Keys, torch.Tensor]]:
        start = 0
        for rows in self._dataset.take_batches(self._model.columns, keys):
            for piece in _pieces(rows):
                some = keys[start : start + piece.num_rows]
                start += piece.num_rows
                yield some, self._model.encode(piece, some)


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, _ROWS_AT_ONCE) for start in range(0, rows.num_rows, _ROWS_AT_ONCE))
