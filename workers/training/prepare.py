"""From a job to all that the loop needs: encoded rows, a model, and what trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from shared.config.pipeline import Component
from shared.errors import DataError
from shared.messages.reports import FeatureNotes
from workers.features.encoder import FeatureEncoder
from workers.models.build import build_model
from workers.models.model_file import Header, pack
from workers.training.batch_rule import Sampler
from workers.training.device import choose_device
from workers.training.job import TrainedModel, TrainingJob
from workers.training.learner import Learner
from workers.training.order.course import Course, Ground, course_of
from workers.training.outputs import count_outputs
from workers.training.place import Place
from workers.training.randomness import fix_randomness
from workers.training.reading import keys_of, read_rows
from workers.training.rows.batch import Batch, BatchedRows
from workers.training.rows.placed import place_rows
from workers.training.start import apply_start, refuse_other_names, starting_encoder, starting_model, with_changes
from workers.training.stoppable import StoppableSource


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A training that is ready for its first batch."""

    header: Header
    encoder: FeatureEncoder
    learner: Learner
    rows: BatchedRows
    course: Course
    sampler: Sampler | None  # where the course takes some rows of each batch
    features: FeatureNotes
    device: torch.device

    def chosen(self, batch: Batch, place: Place) -> Batch:
        """What is learned from, of the batch at this place."""
        return batch if self.sampler is None else self.sampler.chosen(batch, place.epoch, place.batch)

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
    if not len(job.rows):
        raise DataError("The training set is empty; choose trigger, strategy and split so that it gets rows.")
    device = choose_device(job.device)
    fix_randomness(job.seed, job.training.threads)
    source = StoppableSource(job.rows.dataset, should_stop)
    start = starting_model(job.model, job.previous)
    refuse_other_names(start, job.classes)
    encoder = starting_encoder(start, job.model, source, keys_of(job), grow=job.training.encoder == "grow")
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
    block_rows = job.blocks.rows_of_a_block(len(job.rows), encoder.dtype.itemsize * encoder.inputs.width)
    ground = Ground(len(job.rows), job.training.epochs, job.training.batch_size, job.seed, block_rows)
    course = course_of(job.rule, ground, job.batch_rules)
    rows, met = read_rows(job, source, encoder, header)
    learner = Learner(model, job.training, device, weighted=rows.weights is not None or course.weighs)
    return Prepared(
        header=header,
        encoder=encoder,
        learner=learner,
        rows=place_rows(rows, device),
        course=course,
        sampler=None if course.by_batch is None else course.by_batch.sampler(learner, header.loss, device),
        features=with_changes(met.notes(), start, encoder),
        device=device,
    )
