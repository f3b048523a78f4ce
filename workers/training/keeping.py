"""Whether what a model learns can be kept, and be gone on from: found out before anything is trained."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from torch import nn

from shared.config.pipeline import Component
from shared.errors import ConfigurationError, TrainingError
from shared.messages.reports import Finding
from workers.construction import FindingsError
from workers.features.encoder import FeatureEncoder
from workers.features.inputs import InputSpec
from workers.features.table import TableEncoder
from workers.models.model_file import load_weights, state_of, widened
from workers.training.outputs import count_outputs


def refuse_what_cannot_be_kept(model: nn.Module) -> None:
    """Raise FindingsError for a model with state that is no tensor."""
    try:
        state_of(model)
    except TrainingError as error:
        raise FindingsError(Finding(path="model.id", sentence=str(error))) from error


def refuse_what_cannot_grow(
    model: nn.Module, encoder: FeatureEncoder, loss: Component, build: Callable[[InputSpec], nn.Module]
) -> None:
    """Raise FindingsError where a category more would end the trainings; tried with one that is made up."""
    if not isinstance(encoder, TableEncoder) or not encoder.description.categories:
        return
    name, known = next(iter(encoder.description.categories.items()))
    categories = encoder.description.categories | {name: (*known, "".join(known) + "\0")}
    grown = encoder.restore(msgspec.structs.replace(encoder.description, categories=categories), encoder.tensors())
    wider = build(grown.inputs)
    count_outputs(wider, grown, loss)  # gives parameters that wait for rows their shape
    try:
        load_weights(wider, widened(state_of(model), wider, encoder.places_in(grown)))
    except ConfigurationError as error:
        what = str(error).partition(": ")[2].partition(". ")[0].replace("in the file", "now")
        sentence = (
            f"grow gives the model a longer row for each new category, which it has no room for: {what} then. Only "
            "matrices with a column for each number of a row can grow. Write keep, or change the model."
        )
        raise FindingsError(Finding(path="training.encoder", sentence=sentence)) from error
