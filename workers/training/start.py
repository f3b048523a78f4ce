"""What a training starts from: a previous model, a pretrained one, or nothing."""

from __future__ import annotations

import fsspec
from torch import nn

from shared.config.pipeline import Model
from shared.errors import ConfigurationError
from shared.messages.reports import Finding
from workers.construction import FindingsError
from workers.features.columns import Keys
from workers.features.encoder import FeatureEncoder, fit_encoder, go_on_with
from workers.features.source import SampleSource, input_columns
from workers.features.table import TableColumns
from workers.features.text import DEFAULT_MAX_CHARS
from workers.models.model_file import ModelFile, load_weights, unpack

PRETRAINED_PATH = "model.initial.pretrained"


def starting_model(model: Model, previous: bytes | None) -> ModelFile | None:
    """The previous model if there is one, else the pretrained one, else None.

    Raises ArtifactError for bytes that are no model, FindingsError for a pretrained URI that cannot be read.
    """
    if previous is not None:
        return unpack(previous)
    if model.pretrained_uri is None:
        return None
    try:
        with fsspec.open(model.pretrained_uri, "rb") as file:
            return unpack(file.read())
    except (OSError, ValueError, ImportError) as error:
        sentence = f"{model.pretrained_uri} cannot be read: {error}. Name a safetensors file that the workers can read."
        raise FindingsError(Finding(path=PRETRAINED_PATH, sentence=sentence)) from error


def starting_encoder(start: ModelFile | None, model: Model, source: SampleSource, keys: Keys) -> FeatureEncoder:
    """The encoder the starting weights are used to, as `go_on_with` has it, else one fitted on the rows of `keys`.

    Raises DataError for rows that cannot be used, ConfigurationError if the dataset has other columns.
    """
    encoder = start.encoder() if start is not None else None
    if encoder is None:
        return fit_encoder(source, keys, text_length(model))
    missing = [name for name in encoder.columns if name not in input_columns(source)]
    if missing:
        raise ConfigurationError(
            f"the model to start from reads the columns {', '.join(missing)}, which dataset {source.config.name} "
            f"does not offer as features. Start from another model, or from initial: random."
        )
    return go_on_with(encoder, source, keys)


def constant_columns(encoder: FeatureEncoder | None) -> tuple[str, ...]:
    """Columns that have not varied so far."""
    description = encoder.description if encoder is not None else None
    return description.constant if isinstance(description, TableColumns) else ()


def newly_scaled(start: ModelFile | None, encoder: FeatureEncoder) -> tuple[str, ...]:
    """Columns that were constant for the starting weights, and are not for the encoder that goes on from them."""
    before = constant_columns(start.encoder() if start is not None else None)
    return tuple(name for name in before if name not in constant_columns(encoder))


def text_length(model: Model) -> int:
    """Bytes of each text that are read: `max_chars` of the model's configuration, where it has one."""
    length = model.config.get("max_chars", DEFAULT_MAX_CHARS)
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        sentence = f"max_chars = {length!r} is no whole number of at least 1."
        raise FindingsError(Finding(path="model.config.max_chars", sentence=sentence))
    return length


def apply_start(start: ModelFile | None, model: nn.Module) -> None:
    """Put the starting weights into the model. Raises ConfigurationError if they do not fit."""
    if start is not None:
        load_weights(model, start.weights)
