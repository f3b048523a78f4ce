"""Use a trained model: load it from where it was deployed, and ask it for predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from copy import copy
from typing import Any

import fsspec
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from shared.class_names import ClassNames
from shared.config.pipeline import Model
from shared.config.system import Dataset
from shared.dataset.manifest import MEND_THE_ROW
from shared.errors import ArtifactError, DataError, RowError, TrainingError
from workers.features.columns import Keys, column
from workers.features.encoder import FeatureEncoder, encoding_of, reading
from workers.features.matrix import model_input
from workers.models.build import build_model
from workers.models.model_file import Header, load_weights, unpack
from workers.training.labels import count_classes, label_reader
from workers.training.losses import Task, loss_kind, predictions

_ROWS_PER_FORWARD = {"cpu": 1_024, "cuda": 8_192}  # bounds the activations that are in memory at once


class LoadedModel:
    """A model ready to predict. Outputs are float32: probabilities (rows, classes), or values (rows,)."""

    def __init__(self, header: Header, network: nn.Module, encoder: FeatureEncoder, device: torch.device) -> None:
        self.header = header
        self.encoder = encoder
        self.encoding = encoding_of(encoder)  # models with the same one take the same encoded rows
        self._network = network.to(device).eval()
        self._kind = loss_kind(header.loss)
        self._device = device

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

    def reading(self, dataset: Dataset) -> LoadedModel:
        """The same model, that takes times as this dataset writes them."""
        return LoadedModel(self.header, self._network, reading(self.encoder, dataset), self._device)

    def predict(self, table: pa.Table, first_key: int = 0) -> npt.NDArray[np.float32]:
        """Predictions for the rows of a table that has the columns it was trained on; others are ignored.

        `first_key` is what errors call the first row. Raises DataError naming column and key.
        """
        _refuse_no_table(table)
        try:
            encoded = self.encoder.encode(table, np.arange(first_key, first_key + table.num_rows))
        except RowError as error:  # whose remedy is of a dataset and its manifest, which these rows are not in
            raise RowError(str(error).partition(f" {MEND_THE_ROW}")[0]) from error
        return self.scores(encoded)

    def predict_labels(self, table: pa.Table, first_key: int = 0) -> npt.NDArray[Any]:
        """The likeliest label of each row, shape (rows,): names (str objects) where classes have names, else int64.

        A model of numbers gives these, float32. Raises DataError naming column and key.
        """
        outputs, names = self.predict(table, first_key), self.class_names
        if self.classes is None:
            return outputs
        likeliest: npt.NDArray[Any] = np.argmax(outputs if names is None else outputs[:, : len(names)], axis=1)
        return likeliest if names is None else np.array(names, dtype=object)[likeliest]

    @property
    def columns(self) -> Sequence[str]:
        """What it reads of a table."""
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
        at_once = _ROWS_PER_FORWARD[self._device.type]
        starts = range(0, max(len(encoded), 1), at_once)
        pieces = [self._forward(encoded[start : start + at_once]) for start in starts]
        return Predictions(torch.cat(pieces), self.header.model.name)

    def _forward(self, rows: torch.Tensor) -> torch.Tensor:
        outputs = self._network(model_input(rows, self.encoder))
        return predictions(self._kind, outputs.to(torch.float32))


def _refuse_no_table(rows: object) -> None:
    """Raise DataError, with the way from there to a table."""
    if not isinstance(rows, pa.Table):
        raise DataError(
            f"The rows are a {type(rows).__name__}, and a pyarrow.Table is needed: of a DataFrame "
            "pyarrow.Table.from_pandas(frame) makes one, of a dictionary of columns pyarrow.table(columns), of a list "
            "of rows pyarrow.Table.from_pylist(rows)."
        )


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


def load_model(directory: str, trusted_modules: Sequence[str] = (), device: str = "cpu") -> LoadedModel:
    """The model that `model.json` in a directory (path or fsspec URI) names by `object` and `sha256`.

    `trusted_modules` must hold the module of a model class of your own. Raises ArtifactError if a file is missing or
    not what was recorded, ConfigurationError if the class cannot be made.
    """
    folder = str(directory).rstrip("/")
    record_uri = f"{folder}/model.json"
    record = _read(record_uri)
    while True:
        try:
            body = _object(folder, record_uri, record)
            break
        except ArtifactError:
            before, record = record, _read(record_uri)
            if record == before:
                raise
            # Newer models were deployed between the two readings, and the one it named was swept up.
    return load_model_bytes(body, trusted_modules, device)


def _object(folder: str, record_uri: str, record: bytes) -> bytes:
    """The object that a model.json names, after its hash was checked."""
    try:
        described = json.loads(record)
        name, sha256 = described["object"], described["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{record_uri} does not name an object and its sha256: {error}.") from error
    uri = name if "://" in name or name.startswith("/") else f"{folder}/{name}"
    body = _read(uri)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ArtifactError(f"{uri} is not the model that {record_uri} names: its SHA-256 is not {sha256}. Restore it.")
    return body


def load_model_bytes(body: bytes, trusted_modules: Sequence[str] = (), device: str = "cpu") -> LoadedModel:
    """The model in these bytes. Raises ArtifactError, or ConfigurationError if its class cannot be made."""
    file = unpack(body)
    encoder = file.encoder()
    if file.header is None or encoder is None:
        raise ArtifactError("These are weights without a description of their model; only a trained model can predict.")
    with torch.random.fork_rng(devices=[]):  # making a model draws random numbers, which are not the caller's to lose
        network = build_model(_model(file.header), file.header.inputs, trusted_modules)
    load_weights(network, file.weights)
    return LoadedModel(file.header, network, encoder, torch.device(device))


def _model(header: Header) -> Model:
    """What the header says was built, as `model:` of pipeline.yaml says it."""
    return Model(id=header.model.name, framework="pytorch", config=header.model.config, pretrained_uri=None)


def _read(uri: str) -> bytes:
    try:
        with fsspec.open(uri, "rb") as file:
            body: bytes = file.read()
    except OSError as error:
        raise ArtifactError(f"{uri} cannot be read: {error}.") from error
    return body
