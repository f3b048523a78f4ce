"""select: write the training set of a trigger."""

from __future__ import annotations

import time
from typing import Any

from shared.class_names import ClassNames
from shared.messages.reports import AnyReport, NewClasses, Selected
from shared.messages.tasks import SelectTask
from shared.training_set import TrainingSetOrigin, TrainingSetWriter
from workers.features.class_names import names_in_index, names_up_to, room_of, stop_after
from workers.selection.known import Known
from workers.selection.reader import Source
from workers.selection.select import Memory, select
from workers.stages.current_model import current_model
from workers.stages.scratch import scratch
from workers.stages.work import Work


def run(work: Work) -> tuple[AnyReport, Any]:
    """Read the rows, choose, and store keys and weights under the attempt's name. Raises DataError."""
    began_s, task, pipeline = time.monotonic(), work.task, work.record.pipeline
    assert isinstance(task, SelectTask)
    source, known = Source(work.dataset(), pipeline.data.split, work.label_index), _known(task)
    classes = _classes(work, source)
    memory = Memory(
        state=None if task.state is None else work.store.read(task.state),
        model=None if task.model is None else current_model(work, task.model, source, known, classes),
        seed=pipeline.training.seed,
    )
    with scratch("select") as folder:
        file = folder / "set.parquet"
        with TrainingSetWriter(file) as writer:
            chosen = select(pipeline.strategy, known, source, memory, writer)
            writer.finish(
                TrainingSetOrigin(
                    watermark_key=chosen.watermark_key,
                    watermark_timestamp_us=task.trigger_timestamp_us,
                    rows_read=chosen.rows_read,
                    seed=pipeline.training.seed,
                    strategy=pipeline.strategy.name,
                    classes=classes,
                    rule=chosen.rule,
                )
            )
        ref = work.store.write_file(f"training_sets/.{task.trigger_id}.{work.attempt_name}.parquet", file)
    kept = None
    if chosen.state is not None and writer.rows:  # a trigger that trains nothing leaves none
        kept = work.store.write(f"selection_states/.{task.trigger_id}.{work.attempt_name}.msgpack", chosen.state)
    report = Selected(
        **work.who,
        training_set=ref,
        samples=writer.rows,
        rows_read=chosen.rows_read,
        watermark_key=chosen.watermark_key,
        dropped={work.record.dataset.label: chosen.dropped} if chosen.dropped else {},
        classes=_new(task.classes, classes),
        state=kept,
        chosen=chosen.how,
        select_s=time.monotonic() - began_s,
    )
    return report, {}


def _known(task: SelectTask) -> Known:
    """What of the stream the supervisor says is known."""
    return Known(
        first_key=task.first_key,
        previous=task.previous,
        trigger_id=task.trigger_id,
        trigger_key=task.trigger_key,
        labelled_key=task.labelled_key,
        left_out=task.left_out,
        observed=task.observed,
        turn=task.turn,
    )


def _classes(work: Work, source: Source) -> ClassNames | None:
    """The names of the labels that are known at the trigger, where labels are texts. Raises DataError."""
    task, room = work.task, room_of(work.record.pipeline.model)
    assert isinstance(task, SelectTask)
    if source.index is None:
        stop_key = stop_after(task.labelled_key)
        return names_up_to(source.dataset, stop_key, task.classes, task.first_labelled_key, room)
    known_before = task.classes
    if task.first_labelled_key is None:  # the first trigger knew none, so there are none that are sorted
        known_before = known_before or ClassNames(names=(), until=-1)
    return names_in_index(source.dataset, source.index, task.trigger_key, task.labelled_key, known_before, room)


def _new(known: ClassNames | None, now: ClassNames | None) -> NewClasses | None:
    before = 0 if known is None else len(known.names)
    return None if now is None else NewClasses(before=before, names=now.names[before:])
