"""Scores of rows by the current model, from one pass over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from shared.errors import ConfigurationError
from shared.words import counted
from workers.features.columns import Keys
from workers.loaded_model import LoadedModel
from workers.selection.importance.measures import MEASURES, Measure, refuse_numbers
from workers.selection.row_loss import RowLoss
from workers.selection.seen import labels_of, last_layer_of, outputs_of

Scores = npt.NDArray[np.float64]  # (n,)


def scores(
    name: str,
    model: LoadedModel,
    pieces: Iterable[tuple[Keys, pa.Table]],
    label: str,
    holdout: LoadedModel | None = None,
) -> Iterator[Scores]:
    """For each piece of rows its scores, (n,), in the unit of the measure that is called `name`.

    `pieces`: keys, ascending, and the rows' columns, `label` among them where the measure needs labels. `holdout`: the
    model that `rho_loss` needs, trained under the same loss on other rows. Memory: a piece, and what a forward pass of
    some thousand of its rows takes.

    Raises ConfigurationError where models and measure don't go together, before any row is read; DataError naming
    column and key, TrainingError for a model that gives NaN.
    """
    measure = _usable(name, model, holdout)
    of_model = _Scorer(measure, model, label)
    of_holdout = None if holdout is None else _Scorer(measure, holdout, label)

    def found() -> Iterator[Scores]:
        for keys, table in pieces:
            both = [one.of(keys, table) for one in (of_model, of_holdout) if one is not None]
            yield both[0] - both[1] if of_holdout is not None else both[0]

    return found()


class _Scorer:
    """One measure by one model."""

    def __init__(self, measure: Measure, model: LoadedModel, label: str) -> None:
        self._measure, self._model, self._label = measure, model, label
        self._loss: RowLoss | None = None

    def of(self, keys: Keys, table: pa.Table) -> Scores:
        """Of a piece of rows."""
        if len(keys) == 0:
            return np.empty(0)
        encoded = self._model.encode(table, keys)
        labels = labels_of(self._model, table, self._label, keys).to(encoded.device) if self._measure.labels else None
        loss = self._loss = self._loss or RowLoss(self._model.header.loss, encoded.device)
        see = last_layer_of if self._measure.last_layer else outputs_of
        found: list[Tensor] = []
        start = 0
        for seen in see(self._model, encoded):
            stop = start + len(seen.outputs)
            found.append(self._measure.of(loss, seen, None if labels is None else labels[start:stop]))
            start = stop
        values: Scores = torch.cat(found).cpu().numpy()
        return values


def _usable(name: str, model: LoadedModel, holdout: LoadedModel | None) -> Measure:
    """The measure, if it can be taken of such models. Raises ConfigurationError."""
    if name not in MEASURES:
        raise ConfigurationError(f"there is no importance {name!r}; there are {', '.join(MEASURES)}.")
    measure = MEASURES[name]
    refuse_numbers(name, model.header.loss)
    if measure.holdout and holdout is None:
        raise ConfigurationError(f"importance {name} needs a holdout model to compare with, and there is none.")
    if holdout is not None and not measure.holdout:
        raise ConfigurationError(f"importance {name} compares with no holdout model; leave it out, or write rho_loss.")
    if holdout is not None and holdout.header.loss != model.header.loss:
        raise ConfigurationError(
            f"the holdout model was trained under {holdout.header.loss.name}, the current one under "
            f"{model.header.loss.name}, with their options; only equal losses can be compared."
        )
    if holdout is not None and holdout.header.outputs != model.header.outputs:
        raise ConfigurationError(
            f"the holdout model has {counted(holdout.header.outputs, 'output')}, the current one "
            f"{model.header.outputs:,}; only models of the same classes can be compared."
        )
    return measure
