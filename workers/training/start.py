"""What a training starts from: a previous model, a pretrained one, or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import msgspec
from torch import nn

from shared.class_names import ClassNames, told
from shared.config.pipeline import Model
from shared.errors import ConfigurationError
from shared.messages.reports import FeatureNotes, Finding
from workers.construction import FindingsError
from workers.features.columns import Keys
from workers.features.encoder import Description, FeatureEncoder, fit_encoder, go_on_with
from workers.features.nulls import few
from workers.features.source import KeyPieces, SampleSource, input_columns
from workers.features.table import TableColumns, TableEncoder
from workers.features.text import DEFAULT_MAX_CHARS
from workers.features.times import times_of
from workers.models.model_file import ModelFile, load_weights, unpack, widened

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


def starting_encoder(
    start: ModelFile | None, model: Model, source: SampleSource, keys: Keys | KeyPieces, *, grow: bool = False
) -> FeatureEncoder:
    """The encoder the starting weights are used to, as `go_on_with` has it, else one fitted on the rows of `keys`.

    Raises DataError for rows that cannot be used, ConfigurationError if the dataset has other columns.
    """
    encoder = start.encoder() if start is not None else None
    if encoder is None:
        return fit_encoder(source, keys, text_length(model))
    missing = list(not_offered(encoder.description, source))
    if missing:
        raise ConfigurationError(
            f"the model to start from reads {' and '.join(missing)}, which dataset {source.config.name} "
            f"does not offer as features. Start from another model, or from initial: random."
        )
    return go_on_with(encoder, source, keys, grow=grow)


def not_offered(description: Description, source: SampleSource) -> Iterator[str]:
    """What an encoder reads and is no feature of the dataset."""
    columns = description.columns if isinstance(description, TableColumns) else (description.column,)
    missing = [name for name in columns if name not in input_columns(source)]
    if missing:
        yield f"the columns {', '.join(missing)}"
    if not isinstance(description, TableColumns) or description.times is None:
        return
    times, here = description.times, times_of(source.config)
    known = here.features if here is not None and here.column == times.column else ()
    absent = [one for one in times.features if one not in known]
    if absent:
        yield f"{', '.join(absent)} of the time in {times.column} (`time_features`)"


def with_changes(notes: FeatureNotes, start: ModelFile | None, encoder: FeatureEncoder) -> FeatureNotes:
    """The notes of a training set, with what it made of the encoder that the starting weights were used to."""
    now = encoder.description
    if not isinstance(now, TableColumns):
        return notes
    before = start.header.features if start is not None and start.header is not None else now
    assert isinstance(before, TableColumns)
    grown = {name: texts[len(before.categories[name]) :] for name, texts in now.categories.items()}
    return msgspec.structs.replace(
        notes,
        constant=now.unvaried,
        scaled=tuple(name for name in before.unvaried if name not in now.unvaried),
        grown={name: few(texts) for name, texts in grown.items() if texts},
    )


def text_length(model: Model) -> int:
    """Bytes of each text that are read: `max_chars` of the model's configuration, where it has one."""
    length = model.config.get("max_chars", DEFAULT_MAX_CHARS)
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        sentence = f"max_chars = {length!r} is no whole number of at least 1."
        raise FindingsError(Finding(path="model.config.max_chars", sentence=sentence))
    return length


def refuse_other_names(start: ModelFile | None, classes: ClassNames | None) -> None:
    """Raise ConfigurationError where the starting weights tell other classes apart than labels are numbered by."""
    before = start.header.classes if start is not None and start.header is not None else None
    if before is None or classes is None:
        return
    both = min(len(before.names), len(classes.names))
    if before.names[:both] != classes.names[:both]:
        raise ConfigurationError(
            f"the model to start from calls its classes {told(before.names)}, and the dataset {told(classes.names)}. "
            "Write `classes` for the dataset in config.yaml, in the order of that model, or start from another one."
        )


def apply_start(start: ModelFile | None, model: nn.Module, encoder: FeatureEncoder) -> None:
    """Put the starting weights into the model; what `encoder` has more inputs than they gets weights of zero.

    Raises ConfigurationError if they do not fit.
    """
    if start is None:
        return
    before, weights = start.encoder(), start.weights
    if isinstance(before, TableEncoder) and isinstance(encoder, TableEncoder) and before.inputs != encoder.inputs:
        weights = widened(weights, model, before.places_in(encoder))
    load_weights(model, weights)
