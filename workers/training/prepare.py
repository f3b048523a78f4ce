"""From a job to all that the loop needs: encoded rows, a model, and what trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from shared.config.pipeline import Component
from shared.errors import DataError
from shared.messages.reports import FeatureNotes
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import encode_rows
from workers.features.nulls import Met
from workers.features.source import SampleSource
from workers.models.build import build_model
from workers.models.model_file import Header, pack
from workers.training.device import choose_device
from workers.training.job import TrainedModel, TrainingJob
from workers.training.labels import label_reader
from workers.training.learner import Learner
from workers.training.losses import loss_kind, prepare_labels
from workers.training.outputs import count_outputs
from workers.training.randomness import fix_randomness
from workers.training.rows.placed import BatchedRows, HostRows, place_rows
from workers.training.start import apply_start, refuse_other_names, starting_encoder, starting_model, with_changes
from workers.training.stoppable import StoppableSource


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A training that is ready for its first batch."""

    header: Header
    encoder: FeatureEncoder
    learner: Learner
    rows: BatchedRows
    features: FeatureNotes
    device: torch.device

    def trained(self, loss: float, epochs: int, seconds: float) -> TrainedModel:
        """What the training has made, after so many epochs and seconds."""
        return TrainedModel(
            body=pack(self.header, self.learner.model, self.encoder),
            loss=loss,
            epochs=epochs,
            samples=len(self.rows),
            seconds=seconds,
            features=self.features,
        )


def prepare(job: TrainingJob, should_stop: Callable[[], bool]) -> Prepared:
    """Fit the encoder, make the model, encode the rows. Raises what `train` raises."""
    if not len(job.rows.keys):
        raise DataError("The training set is empty; choose trigger, strategy and split so that it gets rows.")
    device = choose_device(job.device)
    fix_randomness(job.seed, job.training.threads)
    source = StoppableSource(job.rows.dataset, should_stop)
    start = starting_model(job.model, job.previous)
    refuse_other_names(start, job.classes)
    encoder = starting_encoder(start, job.model, source, job.rows.keys, grow=job.training.encoder == "grow")
    model = build_model(job.model, encoder.inputs, job.trusted_modules)
    outputs = count_outputs(model, encoder, job.training.loss)
    apply_start(start, model, encoder)
    header = Header(
        format=1,
        model=Component(name=job.model.id, config=job.model.config),
        inputs=encoder.inputs,
        features=encoder.description,
        loss=job.training.loss,
        outputs=outputs,
        classes=job.classes,
    )
    rows, met = _read_rows(job, source, encoder, header)
    learner = Learner(model, job.training, device, weighted=rows.weights is not None)
    return Prepared(
        header=header,
        encoder=encoder,
        learner=learner,
        rows=place_rows(rows, device),
        features=with_changes(met.notes(), start, encoder),
        device=device,
    )


def _read_rows(job: TrainingJob, source: SampleSource, encoder: FeatureEncoder, header: Header) -> tuple[HostRows, Met]:
    kind = loss_kind(header.loss)
    read_labels = label_reader(kind, header.outputs, source.config.label, header.classes)
    encoded = encode_rows(source, job.rows.keys, encoder, read_labels, job.workspace.scratch_folder)
    labels = prepare_labels(kind, encoded.labels)
    rows = HostRows(features=encoded.features, labels=labels, weights=_weights(job), encoder=encoder)
    return rows, encoded.met


def _weights(job: TrainingJob) -> torch.Tensor | None:
    """float32 (rows,), or None where all are 1 and the plain mean will do."""
    return None if (job.rows.weights == 1).all() else torch.from_numpy(job.rows.weights.astype("float32"))
