"""A model as one object: safetensors whose metadata says all that is needed to use it.

Tensors are named `model.<parameter>` and `features.<array>`; the metadata has one entry, `modyn`, with the header as
JSON. One entry, because safetensors writes several in no fixed order, and equal models must be equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, cast

import msgspec
import safetensors
import safetensors.torch
import torch
from torch import nn

from shared.class_names import ClassNames
from shared.config.pipeline import Component
from shared.errors import ArtifactError, ConfigurationError, TrainingError
from workers.features.encoder import Description, FeatureEncoder, restore_encoder
from workers.features.inputs import InputSpec

Tensors = Mapping[str, torch.Tensor]

_METADATA_KEY = "modyn"


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the tensors mean. What may be absent is, so that the bytes of models that lack it stay as they are."""

    format: Literal[1]
    model: Component  # id and config; not `Model`, which grows while stored models stay as they are
    inputs: InputSpec
    features: Description
    loss: Component
    outputs: int  # numbers the model gives for a row: classes, or 1
    classes: ClassNames | None = None  # where they have names


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """A model file, read. Without a header it is somebody else's safetensors: weights alone, by parameter name."""

    header: Header | None
    weights: dict[str, torch.Tensor]
    features: dict[str, torch.Tensor]

    def encoder(self) -> FeatureEncoder | None:
        """The encoder these weights were trained with, None where the file does not hold one."""
        if self.header is None:
            return None
        return restore_encoder(self.header.features, {name: tensor.numpy() for name, tensor in self.features.items()})


def pack(header: Header, model: nn.Module, encoder: FeatureEncoder) -> bytes:
    """The bytes of a model; the same model gives the same bytes. Raises TrainingError for state that is no tensor."""
    tensors = {f"features.{name}": torch.from_numpy(array) for name, array in encoder.tensors().items()}
    tensors |= {f"model.{name}": tensor for name, tensor in state_of(model).items()}
    return pack_tensors(tensors, {_METADATA_KEY: msgspec.json.encode(header, order="sorted").decode()})


def state_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name. Raises TrainingError for state that is no tensor."""
    state: dict[str, object] = dict(model.state_dict())
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise TrainingError(f"The model keeps {name!r}, a {type(value).__name__}, in its state; only tensors may.")
    return cast(dict[str, torch.Tensor], state)


def pack_tensors(tensors: Tensors, metadata: dict[str, str]) -> bytes:
    """Safetensors of copies on the CPU: parameters that share memory are written once each."""
    copies = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in sorted(tensors.items())}
    return safetensors.torch.save(copies, metadata)


def unpack(body: bytes) -> ModelFile:
    """Read a model. Raises ArtifactError if these bytes are no safetensors, or of a later format."""
    tensors, metadata = unpack_tensors(body)
    if _METADATA_KEY not in metadata:
        return ModelFile(header=None, weights=tensors, features={})
    try:
        header = msgspec.json.decode(metadata[_METADATA_KEY], type=Header)
    except msgspec.DecodeError as error:
        raise ArtifactError(f"The model's header cannot be read: {error}. It may come from a later version.") from error
    return ModelFile(
        header=header, weights=_without_prefix(tensors, "model."), features=_without_prefix(tensors, "features.")
    )


def unpack_tensors(body: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and metadata. Raises ArtifactError if these bytes are no safetensors."""
    try:
        tensors = safetensors.torch.load(body)
        header_size = int.from_bytes(body[:8], "little")
        metadata = json.loads(body[8 : 8 + header_size]).get("__metadata__", {})
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ArtifactError(f"{len(body)} bytes are not a model in safetensors format: {error}.") from error
    return tensors, metadata


def widened(weights: Tensors, model: nn.Module, places: Sequence[int]) -> dict[str, torch.Tensor]:
    """Weights for a model of longer rows: what stood at i of a row stands at places[i], and the rest is new.

    Matrices that have a column for each number of a row get columns of zeros, so that the model predicts as before.
    """
    wanted, index = {name: tensor.shape for name, tensor in model.state_dict().items()}, torch.tensor(places)

    def wide(name: str, tensor: torch.Tensor) -> torch.Tensor:
        shape = wanted.get(name, tensor.shape)
        if tensor.dim() < 2 or shape == tensor.shape or tensor.shape != (*shape[:-1], len(places)):
            return tensor
        return tensor.new_zeros(shape).index_copy(-1, index, tensor)

    return {name: wide(name, tensor) for name, tensor in weights.items()}


def load_weights(model: nn.Module, weights: Tensors) -> None:
    """Put the weights into the model. Raises ConfigurationError naming what does not match."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if wanted != given:
        differing = sorted({*wanted, *given})
        name = next(name for name in differing if wanted.get(name) != given.get(name))
        raise ConfigurationError(
            f"the stored weights do not fit the model: {name} is {_shape(given.get(name))} in the file and "
            f"{_shape(wanted.get(name))} in the model. Use the model.id and model.config that it was trained with."
        )
    model.load_state_dict(dict(weights))


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"of shape {list(shape)}"


def _without_prefix(tensors: Tensors, prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
