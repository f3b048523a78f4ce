"""Train one model: the page that says what happens, in the order in which it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from workers.going_on import Interrupted
from workers.training.checkpoints import Checkpoints, job_fingerprint
from workers.training.job import TrainedModel, TrainingJob, TrainingProgress
from workers.training.order.bounds import batch_bounds
from workers.training.place import Saver, Speed, restore_place
from workers.training.prepare import prepare
from workers.training.randomness import uses_batch_norm


def train(
    job: TrainingJob, *, report: Callable[[TrainingProgress], None], should_stop: Callable[[], bool]
) -> TrainedModel:
    """Train the job's model on the job's rows, going on from its newest checkpoint if it has one.

    The same job gives the same bytes on the same CPU type and library versions, interrupted or not. `should_stop` is
    asked between batches. Raises Interrupted after it said yes, DataError for rows that cannot be used, TrainingError
    if the training fails, ConfigurationError for what the file asks in vain, NotReadyError without the wanted device.
    """
    started_s = time.monotonic()
    ready = prepare(job, should_stop)
    learner, rows, course, epochs = ready.learner, ready.rows, ready.course, job.training.epochs
    checkpoints = Checkpoints(
        job.workspace.checkpoint_folder, fingerprint=job_fingerprint(job), keep=job.workspace.checkpoints_kept
    )
    saver = Saver(learner, checkpoints, job.training.checkpoint_every_s)
    place = restore_place(learner, checkpoints, course.rule, len(rows))
    began_s = started_s - place.spent_s
    lone_row_allowed = not uses_batch_norm(learner.model)
    speed = Speed(job)

    mean_loss = 0.0
    for epoch in course.epochs(place.epoch, epochs, place.row_losses):
        bounds = batch_bounds(len(epoch.order), course.batch_rows, lone_row_allowed=lone_row_allowed)
        speed.begin(len(bounds), len(epoch.order))
        left = bounds[place.batch :]
        for (first, stop), batch in zip(left, rows.batches(epoch, left), strict=True):
            chosen = ready.chosen(batch, place)
            place.add(learner.step(*chosen), stop - first)
            speed.count(stop - first, len(chosen.labels))
            if speed.is_due(place):
                report(speed.progress(place))
            stopping = should_stop()
            if stopping or saver.is_due():
                saver.save(place, time.monotonic() - began_s)
            if stopping:
                raise Interrupted(f"stopped in epoch {place.epoch + 1} after batch {place.batch}; a checkpoint is kept")
        mean_loss = place.losses.read()
        learner.schedule.after_epoch(mean_loss)
        report(speed.progress(place))
        place = place.after(epoch)

    return ready.trained(mean_loss, epochs, time.monotonic() - began_s)
