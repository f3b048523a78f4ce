"""A model that is ready to predict, and the predictions that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from shared.class_names import ClassNames
from shared.config.system import Dataset
from shared.dataset.manifest import MEND_THE_ROW
from shared.errors import RowError, TrainingError
from workers.features.columns import Keys, column
from workers.features.encoder import FeatureEncoder, encoding_of, reading
from workers.features.given import Rows, table_of
from workers.features.matrix import model_input
from workers.going_on import GoOn, unheard
from workers.models.described import described
from workers.models.embedding import LastInput
from workers.models.model_file import Header
from workers.training.labels import count_classes, label_reader
from workers.training.losses import Task, loss_kind, predictions

_ROWS_PER_FORWARD = {"cpu": 1_024, "cuda": 8_192}  # bounds the activations that are in memory at once


class LoadedModel:
    """A model ready to predict. Outputs are float32: probabilities (rows, classes), or values (rows,)."""

    def __init__(
        self,
        header: Header,
        network: nn.Module,
        encoder: FeatureEncoder,
        device: torch.device,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        """`record`: what model.json says of it, where it was loaded from beside one."""
        self.header = header
        self.record = record or {}
        self.encoder = encoder
        self.encoding = encoding_of(encoder)  # models with the same one take the same encoded rows
        self._network = network.to(device).eval()
        self._kind = loss_kind(header.loss)
        self._device = device
        self._go_on: GoOn = unheard

    def __repr__(self) -> str:
        return f"<{described(self.header, self.record, self.classes, self.class_names, self.columns)}>"

    @property
    def task(self) -> Task:
        """Whether it predicts classes or numbers."""
        return self._kind.task

    @property
    def classes(self) -> int | None:
        """Classes it tells apart; None if it predicts numbers."""
        return count_classes(self._kind, self.header.outputs)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """What the classes 0, 1, 2… are called; those behind them have not been met. None if they have no names."""
        known = self.header.classes
        return None if known is None or self.classes is None else known.names[: self.classes]

    def knowing(self, classes: ClassNames | None) -> LoadedModel:
        """The same model, that has heard of classes which it was not trained on."""
        other = copy(self)
        other.header = msgspec.structs.replace(self.header, classes=classes)
        return other

    def heard(self, go_on: GoOn) -> LoadedModel:
        """The same model, that calls this with each piece of rows that it predicts."""
        other = copy(self)
        other._go_on = go_on
        return other

    def reading(self, dataset: Dataset) -> LoadedModel:
        """The same model, that takes times as this dataset writes them."""
        return LoadedModel(self.header, self._network, reading(self.encoder, dataset), self._device, self.record)

    def predict(self, rows: Rows, first_key: int = 0) -> npt.NDArray[np.float32]:
        """Predictions for rows that have the columns it was trained on; other columns are ignored.

        The rows are a pyarrow Table or RecordBatch, a pandas DataFrame, a dict of columns, a list of dicts, a dict of
        single values (one row), a numpy array with named fields, or one (rows, columns) of numbers, in the order of
        `columns`. `first_key` is what errors call the first row. Raises DataError naming columns, and the key of a row.
        """
        table = table_of(rows, self.encoder)
        try:
            encoded = self.encoder.encode(table, np.arange(first_key, first_key + table.num_rows))
        except RowError as error:  # whose remedy is of a dataset and its manifest, which these rows are not in
            raise RowError(str(error).partition(f" {MEND_THE_ROW}")[0]) from error
        return self.scores(encoded)

    def predict_labels(self, rows: Rows, first_key: int = 0) -> npt.NDArray[Any]:
        """The likeliest label of each row, shape (rows,): names (str objects) where classes have names, else int64.

        Takes the rows that `predict` takes. A model of numbers gives these, float32. Raises DataError as that does.
        """
        outputs, names = self.predict(rows, first_key), self.class_names
        if self.classes is None:
            return outputs
        likeliest: npt.NDArray[Any] = np.argmax(outputs if names is None else outputs[:, : len(names)], axis=1)
        return likeliest if names is None else np.array(names, dtype=object)[likeliest]

    @property
    def columns(self) -> Sequence[str]:
        """What it reads of rows, in the order in which an array without names has them."""
        return self.encoder.columns

    def encode(self, table: pa.Table, keys: Keys) -> torch.Tensor:
        """Rows (rows, inputs.width) as the model takes them, on its device. Raises DataError naming column and key."""
        # Arrow's memory is read-only, which torch warns of.
        rows = torch.from_numpy(np.require(self.encoder.encode(table, keys), requirements=["C", "W"]))
        return rows if self._device.type == "cpu" else rows.pin_memory().to(self._device, non_blocking=True)

    def labels(self, table: pa.Table, name: str, keys: Keys) -> npt.NDArray[np.generic]:
        """The label column: int64 classes or float64 values (rows,). Raises DataError naming column and key."""
        return label_reader(self._kind, self.header.outputs, name, self.header.classes)(column(table, name), keys)

    def scores(self, encoded: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Predictions for encoded rows (rows, inputs.width). Raises TrainingError for NaN."""
        rows = torch.from_numpy(np.require(encoded, requirements="W"))
        return self.predict_encoded(rows.to(self._device)).read()

    @torch.no_grad()
    def predict_encoded(self, encoded: torch.Tensor) -> Predictions:
        """Begin to predict encoded rows (rows, inputs.width) that lie on the model's device."""
        pieces = [predictions(self._kind, outputs) for outputs in self.outputs(encoded)]
        return Predictions(torch.cat(pieces), self.header.model.name)

    @torch.no_grad()
    def embed(self, encoded: torch.Tensor) -> npt.NDArray[np.float64]:
        """What enters the last linear layer for encoded rows on the model's device, (rows, width).

        Raises ConfigurationError for a model that has none.
        """
        with self.last_input() as last:
            found = [last.of(len(outputs)).to("cpu", torch.float64) for outputs in self.outputs(encoded)]
        return torch.cat(found).numpy()

    def last_input(self) -> LastInput:
        """What, while it is entered, sees the last linear layer of what goes through `outputs`."""
        return LastInput(self._network)

    @torch.no_grad()
    def outputs(self, encoded: torch.Tensor) -> Iterator[torch.Tensor]:
        """What the network gives for encoded rows on its device, some rows at a time: float32, as the loss takes it."""
        at_once = _ROWS_PER_FORWARD[self._device.type]
        for start in range(0, max(len(encoded), 1), at_once):
            self._go_on()
            outputs = self._network(model_input(encoded[start : start + at_once], self.encoder))
            yield outputs.to(torch.float32)


class Predictions:
    """What a model predicts for some rows, as soon as its device has come so far."""

    def __init__(self, outputs: torch.Tensor, model: str) -> None:
        self._outputs, self._model = outputs, model

    def read(self) -> npt.NDArray[np.float32]:
        """Probabilities (rows, classes), or values (rows,). Raises TrainingError for NaN."""
        outputs = self._outputs.cpu().numpy()
        if not np.isfinite(outputs).all():
            raise TrainingError(f"Model {self._model} predicts NaN or infinity; its training went wrong.")
        return outputs
