"""Load a trained model from where it was deployed, or from its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import fsspec
import torch
from torch.nn.parameter import is_lazy

from shared.config.pipeline import Model
from shared.errors import ArtifactError
from workers.loaded_model import LoadedModel
from workers.models.build import build_model
from workers.models.model_file import Header, load_weights, unpack
from workers.training.outputs import count_outputs


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
    return load_model_bytes(body, trusted_modules, device, json.loads(record))


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


def load_model_bytes(
    body: bytes, trusted_modules: Sequence[str] = (), device: str = "cpu", record: Mapping[str, Any] | None = None
) -> LoadedModel:
    """The model in these bytes, of which a model.json may say what is in `record`.

    Raises ArtifactError, or ConfigurationError if its class cannot be made.
    """
    file = unpack(body)
    encoder = file.encoder()
    if file.header is None or encoder is None:
        raise ArtifactError("These are weights without a description of their model; only a trained model can predict.")
    with torch.random.fork_rng(devices=[]):  # making a model draws random numbers, which are not the caller's to lose
        network = build_model(_model(file.header), file.header.inputs, trusted_modules)
        if any(is_lazy(parameter) for parameter in network.parameters()):  # they get their shape from the first rows
            count_outputs(network, encoder, file.header.loss)
    load_weights(network, file.weights)
    return LoadedModel(file.header, network, encoder, torch.device(device), record)


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
