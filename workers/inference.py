"""Use a trained model: load it from where it was deployed, and ask it for predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from shared.config.pipeline import Model
from shared.errors import ArtifactError, TrainingError
from workers.features.columns import Keys, column
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import model_input
from workers.features.source import SampleSource
from workers.models.build import build_model
from workers.models.model_file import Header, load_weights, unpack
from workers.training.labels import label_reader
from workers.training.losses import Task, loss_kind, predictions

_ROWS_PER_FORWARD = 1_024  # bounds the activations that are in memory at once


class LoadedModel:
    """A model ready to predict. Outputs are float32: probabilities (rows, classes), or values (rows,)."""

    def __init__(self, header: Header, network: nn.Module, encoder: FeatureEncoder, device: torch.device) -> None:
        self.header = header
        self.encoder = encoder
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
        if self.task == "regression":
            return None
        return self.header.outputs if self._kind.labels == "class" else 2

    def predict(self, table: pa.Table, first_key: int = 0) -> npt.NDArray[np.float32]:
        """Predictions for the rows of a table that has the columns it was trained on; others are ignored.

        `first_key` is what errors call the first row. Raises DataError naming column and key.
        """
        return self.scores(self.encoder.encode(table, np.arange(first_key, first_key + table.num_rows)))

    def scores(self, encoded: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Predictions for encoded rows (rows, inputs.width). Raises TrainingError for NaN."""
        pieces = [
            # Arrow's memory is read-only, which torch warns of; the copy is of one piece.
            self._forward(torch.from_numpy(np.require(encoded[start : start + _ROWS_PER_FORWARD], requirements="W")))
            for start in range(0, max(len(encoded), 1), _ROWS_PER_FORWARD)
        ]
        outputs = torch.cat(pieces).numpy()
        if not np.isfinite(outputs).all():
            raise TrainingError(f"Model {self.header.model.name} predicts NaN or infinity; its training went wrong.")
        return outputs

    def predict_batches(
        self, dataset: SampleSource, first_key: int, stop_key: int, batch_rows: int
    ) -> Iterator[tuple[int, npt.NDArray[np.float32], npt.NDArray[np.generic]]]:
        """(first key, predictions, labels) over [first_key, stop_key) of a dataset, streaming.

        Labels are int64 classes or float64 values (rows,). Raises DataError naming column and key.
        """
        label = dataset.config.label
        read_labels = label_reader(self._kind, self.header.outputs, label)
        columns = [*self.encoder.columns, label]
        for key, table in dataset.batches(columns, first_key, stop_key, batch_rows):
            keys: Keys = np.arange(key, key + table.num_rows)
            yield key, self.scores(self.encoder.encode(table, keys)), read_labels(column(table, label), keys)

    @torch.no_grad()
    def _forward(self, rows: torch.Tensor) -> torch.Tensor:
        outputs = self._network(model_input(rows.to(self._device), self.encoder))
        return predictions(self._kind, outputs.to(torch.float32)).cpu()


def load_model(directory: str, trusted_modules: Sequence[str] = (), device: str = "cpu") -> LoadedModel:
    """The model that `model.json` in a directory (path or fsspec URI) names by `object` and `sha256`.

    `trusted_modules` must hold the module of a model class of your own. Raises ArtifactError if a file is missing or
    not what was recorded, ConfigurationError if the class cannot be made.
    """
    folder = str(directory).rstrip("/")
    record_uri = f"{folder}/model.json"
    try:
        record = json.loads(_read(record_uri))
        name, sha256 = record["object"], record["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{record_uri} does not name an object and its sha256: {error}.") from error
    uri = name if "://" in name or name.startswith("/") else f"{folder}/{name}"
    body = _read(uri)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ArtifactError(f"{uri} is not the model that {record_uri} names: its SHA-256 is not {sha256}. Restore it.")
    return load_model_bytes(body, trusted_modules, device)


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
