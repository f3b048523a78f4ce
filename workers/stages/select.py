"""select: write the training set of a trigger."""

from __future__ import annotations

from typing import Any

from shared.class_names import ClassNames
from shared.messages.reports import AnyReport, NewClasses, Selected
from shared.messages.tasks import SelectTask
from shared.training_set import TrainingSet, TrainingSetOrigin, training_set_bytes
from workers.features.class_names import names_in_index, names_up_to, room_of, stop_after
from workers.selection.known import Known
from workers.selection.select import select
from workers.stages.work import Work


def run(work: Work) -> tuple[AnyReport, Any]:
    """Read the rows, choose, and store keys and weights under the attempt's name. Raises DataError."""
    task, pipeline = work.task, work.record.pipeline
    assert isinstance(task, SelectTask)
    known = Known(
        first_key=task.first_key,
        previous=task.previous,
        trigger_key=task.trigger_key,
        labelled_key=task.labelled_key,
        left_out=task.left_out,
    )
    dataset, room = work.dataset(), room_of(pipeline.model)
    index = work.label_index
    chosen = select(pipeline.strategy, known, dataset, pipeline.data.split, index, seed=pipeline.training.seed)
    if index is None:
        classes = names_up_to(dataset, stop_after(task.labelled_key), task.classes, task.first_labelled_key, room)
    else:
        known_before = task.classes
        if task.first_labelled_key is None:  # the first trigger knew none, so there are none that are sorted
            known_before = known_before or ClassNames(names=(), until=-1)
        classes = names_in_index(dataset, index, task.trigger_key, task.labelled_key, known_before, room)
    origin = TrainingSetOrigin(
        watermark_key=chosen.watermark_key,
        watermark_timestamp_us=task.trigger_timestamp_us,
        rows_read=chosen.rows_read,
        seed=pipeline.training.seed,
        strategy=pipeline.strategy.name,
        classes=classes,
    )
    body = training_set_bytes(TrainingSet(keys=chosen.keys, weights=chosen.weights, origin=origin))
    ref = work.store.write(f"training_sets/.{task.trigger_id}.{work.attempt_name}.parquet", body)
    report = Selected(
        **work.who,
        training_set=ref,
        samples=len(chosen.keys),
        rows_read=chosen.rows_read,
        watermark_key=chosen.watermark_key,
        dropped={work.record.dataset.label: chosen.dropped} if chosen.dropped else {},
        classes=_new(task.classes, classes),
    )
    return report, {}


def _new(known: ClassNames | None, now: ClassNames | None) -> NewClasses | None:
    before = 0 if known is None else len(known.names)
    return None if now is None else NewClasses(before=before, names=now.names[before:])
