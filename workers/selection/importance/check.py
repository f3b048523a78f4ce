"""What of a strategy by importance can never be answered: found before a run starts, not at its second trigger."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from shared.class_names import ClassNames
from shared.config.pipeline import Component, Pipeline
from shared.config.schema.holdout import ON_VALIDATION
from shared.config.within import strategies_within
from shared.errors import ArtifactError, ConfigurationError
from workers.features.matrix import model_input
from workers.features.source import SampleSource
from workers.inference import load_model_bytes
from workers.models.embedding import LastInput
from workers.selection.holdout import read_holdout, refuse_other_classes
from workers.selection.importance.measures import MEASURES, refuse_numbers
from workers.selection.seen import refuse_more_layers
from workers.training.losses import LOSSES
from workers.training.start import not_offered
from workers.training.trial import Trial


def refuse_importance(
    pipeline: Pipeline, source: SampleSource | None, trial: Trial | None, trusted: Sequence[str]
) -> None:
    """Raise ConfigurationError for a measure that loss or model do not have, and for a holdout model that cannot be
    compared with. Without rows or a model these are not judged.
    """
    loss = pipeline.training.loss
    for _, name, options in strategies_within(pipeline.strategy.name, pipeline.strategy.options):
        if name not in MEASURES:
            continue
        if loss.name in LOSSES:
            refuse_numbers(name, loss)
        if MEASURES[name].last_layer and trial is not None:
            _refuse_hidden_layer(trial, pipeline.model.id)
        if MEASURES[name].holdout and options["holdout"] != ON_VALIDATION:
            _refuse_holdout(options["holdout"], loss, source, trial, trusted)


def _refuse_hidden_layer(trial: Trial, model: str) -> None:
    network, training = trial.model, trial.model.training
    rows = trial.rows.to(_device_of(network))
    try:
        with torch.no_grad(), LastInput(network.eval()) as last:
            refuse_more_layers(last, network(model_input(rows, trial.encoder)), model)
    finally:
        network.train(training)


def _device_of(network: nn.Module) -> torch.device:
    return next((one.device for one in network.parameters()), torch.device("cpu"))


def _refuse_holdout(
    uri: str, loss: Component, source: SampleSource | None, trial: Trial | None, trusted: Sequence[str]
) -> None:
    try:
        holdout = load_model_bytes(read_holdout(uri), trusted)
    except ArtifactError as error:
        raise ConfigurationError(f"{uri} is no holdout model: {error} Name another model.safetensors.") from error
    header = holdout.header
    if header.loss != loss:
        raise ConfigurationError(
            f"holdout model {uri} was trained under {_told(header.loss)}, and training.loss is {_told(loss)}; only "
            "equal losses can be compared."
        )
    if trial is not None and header.outputs != trial.outputs:
        raise ConfigurationError(
            f"holdout model {uri} has {header.outputs:,} outputs, and the model {trial.outputs:,}; only models of the "
            "same classes can be compared."
        )
    if source is None:
        return
    if missing := list(not_offered(header.features, source)):
        raise ConfigurationError(
            f"holdout model {uri} reads {' and '.join(missing)}, which dataset {source.config.name} does not offer as "
            "features; name one that was trained on these columns."
        )
    if source.config.classes is not None:
        refuse_other_classes(header.classes, ClassNames(names=source.config.classes, until=None))


def _told(loss: Component) -> str:
    return f"{loss.name} with {loss.config}" if loss.config else loss.name
