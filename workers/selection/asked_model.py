"""The current model, as a strategy asks it: rows are read and predicted piece by piece, on the worker's device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from shared.dataset.table import TableDataset
from shared.strategies.strategy import Keys
from workers.loaded_model import LoadedModel
from workers.selection.holdout import Holdouts
from workers.selection.importance.measures import needs_labels
from workers.selection.importance.scores import scores

_ROWS_AT_ONCE = 65_536


class AskedModel:
    """A model and the rows that it may be asked about."""

    def __init__(self, trigger_id: int, model: LoadedModel, dataset: TableDataset, holdouts: Holdouts) -> None:
        self._trigger_id, self._model, self._dataset, self._holdouts = trigger_id, model, dataset, holdouts

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

    def scores(
        self, measure: str, keys: Keys, holdout: bytes | str | None = None
    ) -> Iterator[tuple[Keys, npt.NDArray[np.float64]]]:
        """By one pass over the rows. Raises ConfigurationError, DataError, TrainingError, as `importance.scores`."""
        label, start = self._dataset.config.label, 0
        other = None if holdout is None else self._holdouts.loaded(holdout, self._model.header.classes)
        columns = [*self._model.columns, *(() if other is None else other.columns)]
        rows = self._rows([*columns, label] if needs_labels(measure) else columns, keys)
        for found in scores(measure, self._model, rows, label, other):
            yield keys[start : start + len(found)], found
            start += len(found)

    def holdout(self) -> bytes | None:
        """Raises what a training does."""
        return self._holdouts.trained()

    def _encoded(self, keys: Keys) -> Iterator[tuple[Keys, torch.Tensor]]:
        for some, piece in self._rows(self._model.columns, keys):
            yield some, self._model.encode(piece, some)

    def _rows(self, columns: Sequence[str], keys: Keys) -> Iterator[tuple[Keys, pa.Table]]:
        start = 0
        for rows in self._dataset.take_batches(list(dict.fromkeys(columns)), keys):
            for piece in _pieces(rows):
                some = keys[start : start + piece.num_rows]
                start += piece.num_rows
                yield some, piece


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, _ROWS_AT_ONCE) for start in range(0, rows.num_rows, _ROWS_AT_ONCE))
