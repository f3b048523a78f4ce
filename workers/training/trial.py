"""A model made and shown a few rows, to learn whether training can work at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from shared.config.pipeline import Model, Training
from workers.features.encoder import FeatureEncoder, pieces
from workers.features.image import ImageEncoder, ImagePixels
from workers.features.matrix import model_input
from workers.features.source import SampleSource
from workers.features.table import TableColumns, TableEncoder
from workers.features.text import TextBytes, TextEncoder
from workers.models.build import MODELS, build_model
from workers.models.model_file import ModelFile
from workers.training.keeping import refuse_what_cannot_be_kept, refuse_what_cannot_grow
from workers.training.learner import Learner
from workers.training.losses import loss_kind, prepare_labels
from workers.training.outputs import count_outputs
from workers.training.start import starting_encoder, text_length

_SAMPLE_ROWS = 4_096  # the first rows, to learn the encoding from; a rare category may be absent in them
_TRIAL_ROWS = 8


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A model that could be made, and rows to try it on."""

    model: nn.Module
    encoder: FeatureEncoder
    rows: torch.Tensor  # (rows, width), encoded
    outputs: int


def make_trial(
    model: Model, training: Training, source: SampleSource | None, start: ModelFile | None, trusted: Sequence[str]
) -> Trial:
    """Make the model for the first rows of the source, or, if it is a built-in one, for made-up rows.

    Raises FindingsError for the model, DataError for rows that cannot be used, ConfigurationError if `start` reads
    other columns.
    """
    if source is None:
        encoder = start.encoder() if start is not None else None
        encoder = encoder or _made_up_encoder(model)
        rows = np.zeros((_TRIAL_ROWS, encoder.inputs.width), dtype=encoder.dtype)
    else:
        keys = np.arange(min(source.rows, _SAMPLE_ROWS))
        encoder = starting_encoder(start, model, source, keys)
        rows = _first_rows(source, encoder)
    made = build_model(model, encoder.inputs, trusted)
    outputs = count_outputs(made, encoder, training.loss)
    refuse_what_cannot_be_kept(made)
    if training.encoder == "grow" and training.use_previous_model:
        refuse_what_cannot_grow(made, encoder, training.loss, lambda inputs: build_model(model, inputs, trusted))
    return Trial(model=made, encoder=encoder, rows=torch.from_numpy(rows), outputs=outputs)


def train_once(trial: Trial, training: Training, device: torch.device) -> None:
    """One step on the trial's rows, all labelled 0. Raises FindingsError, or TrainingError for what fails in it."""
    learner = Learner(trial.model, training, device, weighted=False)
    labels = prepare_labels(loss_kind(training.loss), torch.zeros(len(trial.rows)))
    learner.step(model_input(trial.rows.to(device), trial.encoder), labels.to(device), None)


def _first_rows(source: SampleSource, encoder: FeatureEncoder) -> npt.NDArray[np.generic]:
    """A few encoded rows; a lone one twice, since batch normalisation cannot learn from one."""
    keys = np.arange(min(source.rows, _TRIAL_ROWS))
    rows = np.concatenate([encoder.encode(table, some) for some, table in pieces(source, encoder.columns, keys)])
    return np.repeat(rows, 2, axis=0) if len(rows) == 1 else rows


def _made_up_encoder(model: Model) -> FeatureEncoder:
    """An encoder of what a built-in model reads: a table of four numbers, small images, or texts."""
    reads = MODELS[model.id].reads
    if "table" in reads:
        description = TableColumns(columns=("a", "b", "c", "d"), categories={})
        return TableEncoder(description, np.zeros(4), np.ones(4))
    if "image" in reads:
        return ImageEncoder(ImagePixels(column="image", shape=(3, 32, 32)))
    return TextEncoder(TextBytes(column="text", max_chars=text_length(model)))
