"""The current model, as a selection asks it: on the device that trainings are done on."""

from __future__ import annotations

import torch

from shared.class_names import ClassNames
from shared.messages.tasks import ModelRef
from workers.going_on import Interrupted
from workers.selection.asked_model import AskedModel
from workers.selection.holdout import Holdouts, validation_keys
from workers.selection.known import Known
from workers.selection.reader import Source
from workers.stages.holdout import trained_holdout
from workers.stages.scoring import load, load_committed
from workers.stages.work import Work
from workers.training.device import of_worker
from workers.training.randomness import fix_arithmetic


def current_model(work: Work, model: ModelRef, source: Source, known: Known, classes: ClassNames | None) -> AskedModel:
    """The model, with the classes that this trigger knows. Raises ArtifactError, ConfigurationError."""

    def go_on() -> None:
        if work.child.should_stop():
            raise Interrupted("stopped while rows were chosen")

    def trained() -> bytes | None:
        return trained_holdout(work, validation_keys(source, known), classes, device)

    device = of_worker(work.record.pipeline.training.device, work.child.device)
    torch.set_num_threads(work.record.pipeline.training.threads)
    if device != "cpu":
        fix_arithmetic()
    current = load_committed(work, model.object, device).knowing(classes)
    holdouts = Holdouts(lambda body: load(work, body, device).reading(work.record.dataset).heard(go_on), trained)
    return AskedModel(model.trigger_id, current, source.dataset, holdouts, go_on)
