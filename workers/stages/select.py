"""select: write the training set of a trigger."""

from __future__ import annotations

import time
from typing import Any

import torch

from shared.class_names import ClassNames
from shared.messages.reports import AnyReport, NewClasses, Selected
from shared.messages.tasks import ModelRef, SelectTask
from shared.training_set import TrainingSet, TrainingSetOrigin, training_set_bytes
from workers.features.class_names import names_in_index, names_up_to, room_of, stop_after
from workers.going_on import Interrupted
from workers.selection.asked_model import AskedModel
from workers.selection.holdout import Holdouts, validation_keys
from workers.selection.known import Known
from workers.selection.select import Memory, select
from workers.stages.holdout import trained_holdout
from workers.stages.scoring import load, load_committed
from workers.stages.work import Work
from workers.training.device import of_worker
from workers.training.randomness import fix_arithmetic


def run(work: Work) -> tuple[AnyReport, Any]:
    """Read the rows, choose, and store keys and weights under the attempt's name. Raises DataError."""
    began_s, task, pipeline = time.monotonic(), work.task, work.record.pipeline
    assert isinstance(task, SelectTask)
    known = Known(
        first_key=task.first_key,
        previous=task.previous,
        trigger_id=task.trigger_id,
        trigger_key=task.trigger_key,
        labelled_key=task.labelled_key,
        left_out=task.left_out,
        observed=task.observed,
    )
    dataset, room = work.dataset(), room_of(pipeline.model)
    index = work.label_index
    if index is None:
        classes = names_up_to(dataset, stop_after(task.labelled_key), task.classes, task.first_labelled_key, room)
    else:
        known_before = task.classes
        if task.first_labelled_key is None:  # the first trigger knew none, so there are none that are sorted
            known_before = known_before or ClassNames(names=(), until=-1)
        classes = names_in_index(dataset, index, task.trigger_key, task.labelled_key, known_before, room)
    memory = Memory(
        state=None if task.state is None else work.store.read(task.state),
        model=None if task.model is None else _asked(work, task.model, known, classes),
        seed=pipeline.training.seed,
    )
    chosen = select(pipeline.strategy, known, dataset, pipeline.data.split, index, memory)
    origin = TrainingSetOrigin(
        watermark_key=chosen.watermark_key,
        watermark_timestamp_us=task.trigger_timestamp_us,
        rows_read=chosen.rows_read,
        seed=pipeline.training.seed,
        strategy=pipeline.strategy.name,
        classes=classes,
        rule=chosen.rule,
    )
    body = training_set_bytes(TrainingSet(keys=chosen.keys, weights=chosen.weights, origin=origin))
    ref = work.store.write(f"training_sets/.{task.trigger_id}.{work.attempt_name}.parquet", body)
    kept = None
    if chosen.state is not None and len(chosen.keys):  # a trigger that trains nothing leaves none
        kept = work.store.write(f"selection_states/.{task.trigger_id}.{work.attempt_name}.msgpack", chosen.state)
    report = Selected(
        **work.who,
        training_set=ref,
        samples=len(chosen.keys),
        rows_read=chosen.rows_read,
        watermark_key=chosen.watermark_key,
        dropped={work.record.dataset.label: chosen.dropped} if chosen.dropped else {},
        classes=_new(task.classes, classes),
        state=kept,
        select_s=time.monotonic() - began_s,
    )
    return report, {}


def _asked(work: Work, model: ModelRef, known: Known, classes: ClassNames | None) -> AskedModel:
    """The current model, with the classes that this trigger knows, on the device that trainings are done on.

    Raises ArtifactError, ConfigurationError.
    """

    def go_on() -> None:
        if work.child.should_stop():
            raise Interrupted("stopped while rows were chosen")

    def trained() -> bytes | None:
        keys = validation_keys(dataset, known, work.record.pipeline.data.split, work.label_index)
        return trained_holdout(work, keys, classes, device)

    dataset = work.dataset()
    device = of_worker(work.record.pipeline.training.device, work.child.device)
    torch.set_num_threads(work.record.pipeline.training.threads)
    if device != "cpu":
        fix_arithmetic()
    current = load_committed(work, model.object, device).knowing(classes)
    holdouts = Holdouts(lambda body: load(work, body, device).reading(work.record.dataset).heard(go_on), trained)
    return AskedModel(model.trigger_id, current, dataset, holdouts, go_on)


def _new(known: ClassNames | None, now: ClassNames | None) -> NewClasses | None:
    before = 0 if known is None else len(known.names)
    return None if now is None else NewClasses(before=before, names=now.names[before:])
