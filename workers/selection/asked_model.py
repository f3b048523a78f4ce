"""The current model, as a strategy asks it: rows are read and seen piece by piece, on the worker's device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from shared.dataset.table import TableDataset
from shared.strategies.strategy import Keys, Weights
from workers.going_on import GoOn, unheard
from workers.loaded_model import LoadedModel
from workers.selection.coreset.lines import choice, lines
from workers.selection.coreset.per_class import Classes
from workers.selection.holdout import Holdouts
from workers.selection.importance.measures import needs_labels
from workers.selection.importance.scores import scores
from workers.selection.spaces import features

_ROWS_AT_ONCE = 65_536


class AskedModel:
    """A model and the rows that it may be asked about."""

    def __init__(
        self,
        trigger_id: int,
        model: LoadedModel,
        dataset: TableDataset,
        holdouts: Holdouts,
        go_on: GoOn = unheard,
    ) -> None:
        """`holdouts`: for measures that compare with one; `go_on`: called often, whatever is asked."""
        self._trigger_id, self._model, self._dataset, self._go_on = trigger_id, model.heard(go_on), dataset, go_on
        self._label, self._holdouts = dataset.config.label, holdouts

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
        start = 0
        other = None if holdout is None else self._holdouts.loaded(holdout, self._model.header.classes)
        columns = [*self._model.columns, *(() if other is None else other.columns)]
        rows = self._read(keys, [*columns, self._label] if needs_labels(measure) else columns)
        for found in scores(measure, self._model, rows, self._label, other):
            yield keys[start : start + len(found)], found
            start += len(found)

    def holdout(self) -> bytes | None:
        """Raises what a training does."""
        return self._holdouts.trained()

    def coreset(self, name: str, keys: Keys, k: int, options: Mapping[str, Any]) -> tuple[Keys, Weights | None]:
        """The k of these rows, ascending, that stand for all, at most, and the lines' weights; None: all are 1.

        `options`, beside what workers/selection/coreset/lines.py names: `space` (input | embedding | gradient),
        `per_class` (class by class, however few rows there are) and `seed`, of how a class of more than 15,000 rows is
        dealt out. Raises ConfigurationError, DataError naming column and key, TrainingError for NaN.
        """
        if len(keys) == 0:
            return keys, None
        rows = _WithClasses(self._model, self._labelled(keys), self._label)
        points = features(options["space"], self._model, rows, len(keys), self._label)
        places, weights = lines(choice(name, options, self._go_on), points, rows.classes(), k, options)
        return keys[places], weights

    def _encoded(self, keys: Keys) -> Iterator[tuple[Keys, torch.Tensor]]:
        for some, rows in self._read(keys, self._model.columns):
            yield some, self._model.encode(rows, some)

    def _labelled(self, keys: Keys) -> Iterator[tuple[Keys, pa.Table]]:
        """What the model reads of ascending keys, and their labels."""
        return self._read(keys, (*self._model.columns, self._label))

    def _read(self, keys: Keys, columns: Sequence[str]) -> Iterator[tuple[Keys, pa.Table]]:
        start = 0
        for rows in self._dataset.take_batches(tuple(dict.fromkeys(columns)), keys):
            for piece in _pieces(rows):
                some = keys[start : start + piece.num_rows]
                start += piece.num_rows
                yield some, piece


class _WithClasses:
    """Rows as they are read, once, whose classes are kept."""

    def __init__(self, model: LoadedModel, rows: Iterator[tuple[Keys, pa.Table]], label: str) -> None:
        self._model, self._rows, self._label = model, rows, label
        self._classes: list[npt.NDArray[Any]] = []

    def __iter__(self) -> Iterator[tuple[Keys, pa.Table]]:
        for keys, table in self._rows:
            if self._model.classes is not None:
                self._classes.append(self._model.labels(table, self._label, keys))
            yield keys, table

    def classes(self) -> Classes | None:
        """Of all that were read, (n,); None: labels are numbers."""
        return np.concatenate(self._classes) if self._classes else None


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, _ROWS_AT_ONCE) for start in range(0, rows.num_rows, _ROWS_AT_ONCE))
