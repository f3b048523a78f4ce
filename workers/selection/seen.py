"""What a model makes of rows: its outputs and what enters its last layer, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from shared.errors import ConfigurationError, TrainingError
from workers.features.columns import Keys
from workers.loaded_model import LoadedModel
from workers.models.embedding import LastInput


class Seen(NamedTuple):
    """Some rows, in their order, on the model's device."""

    outputs: Tensor  # float64 (n, outputs), as the loss takes them
    last_input: Tensor | None  # float64 (n, width), where it was asked for


def outputs_of(model: LoadedModel, encoded: Tensor) -> Iterator[Seen]:
    """The outputs alone. Raises TrainingError for NaN."""
    for outputs in model.outputs(encoded):
        yield Seen(_finite(outputs, model), None)


def embeddings_of(model: LoadedModel, encoded: Tensor) -> Iterator[Seen]:
    """With what enters the last linear layer. Raises ConfigurationError for a model that has none."""
    with model.last_input() as last:
        for outputs in model.outputs(encoded):
            entered = last.of(len(outputs))
            yield Seen(_finite(outputs, model), entered.double())


def last_layer_of(model: LoadedModel, encoded: Tensor) -> Iterator[Seen]:
    """As `embeddings_of`, of a model that ends with this layer, so that its gradient is known in closed form.

    Raises ConfigurationError for another one.
    """
    with model.last_input() as last:
        for outputs in model.outputs(encoded):
            entered = last.of(len(outputs))
            refuse_more_layers(last, outputs, model.header.model.name)
            yield Seen(_finite(outputs, model), entered.double())


def labels_of(model: LoadedModel, table: pa.Table, label: str, keys: Keys) -> Tensor:
    """The label column, (n,), on the CPU. Raises DataError naming column and key."""
    return torch.from_numpy(np.require(model.labels(table, label, keys), requirements=["C", "W"]))


def _finite(outputs: Tensor, model: LoadedModel) -> Tensor:
    if not outputs.isfinite().all():
        raise TrainingError(f"Model {model.header.model.name} gives NaN or infinity; its training went wrong.")
    return outputs.reshape(len(outputs), -1).double()


def refuse_more_layers(last: LastInput, outputs: Tensor, model: str) -> None:
    """Raise ConfigurationError, naming the model, where `outputs` are not those of the layer that `last` has seen."""
    if not last.gave(outputs):
        raise ConfigurationError(
            f"model {model} does not end with its last torch.nn.Linear layer, so the gradients of "
            "this layer are not known from one pass; score rows by `loss`, or take the features `embedding`."
        )
