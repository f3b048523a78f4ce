"""Where a training stands, and what it says about that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from workers.training.checkpoints import Checkpoint, Checkpoints
from workers.training.job import TrainingJob, TrainingProgress
from workers.training.learner import Learner
from workers.training.losses_seen import LossesSeen


@dataclass
class Place:
    """Between two batches. Epoch and batch count from 0 and name the next to be done."""

    epoch: int = 0
    batch: int = 0
    losses: LossesSeen = field(default_factory=lambda: LossesSeen(epoch=0))
    spent_s: float = 0.0  # by earlier attempts, up to the checkpoint that this one went on from


def restore_place(learner: Learner, checkpoints: Checkpoints) -> Place:
    """Go on from the newest usable checkpoint, or from the beginning."""
    left = checkpoints.newest()
    if left is None:
        return Place()
    learner.restore(left.learner)
    losses = LossesSeen(left.epoch, left.batch, left.loss_total, left.loss_rows)
    return Place(left.epoch, left.batch, losses, left.spent_s)


class Saver:
    """Writes checkpoints, at most one per interval of its own accord."""

    def __init__(self, learner: Learner, checkpoints: Checkpoints, every_s: float) -> None:
        self._learner, self._checkpoints, self._every_s = learner, checkpoints, every_s
        self._last_s = time.monotonic()

    def is_due(self) -> bool:
        """Whether the interval has passed."""
        return time.monotonic() - self._last_s >= self._every_s

    def save(self, place: Place, spent_s: float) -> None:
        """Write a checkpoint now, after `spent_s` in all. Raises TrainingError rather than keep NaN weights."""
        place.losses.read()
        self._checkpoints.save(
            Checkpoint(
                learner=self._learner.state(),
                epoch=place.epoch,
                batch=place.batch,
                loss_total=place.losses.total,
                loss_rows=place.losses.rows,
                spent_s=spent_s,
            )
        )
        self._last_s = time.monotonic()


class Speed:
    """Speed and time left, as this process has seen them since it began to train."""

    def __init__(self, job: TrainingJob, *, batches: int) -> None:
        self._job, self._epochs, self._batches, self._rows = job, job.training.epochs, batches, len(job.rows.keys)
        self._started_s = self._told_s = time.monotonic()
        self._samples = 0

    def count(self, samples: int) -> None:
        """So many samples more were learned from."""
        self._samples += samples

    def is_due(self, place: Place) -> bool:
        """Whether it is time to tell, which waits for the device: every so many batches, and not too often."""
        if place.batch % self._job.workspace.report_every_batches or place.batch == self._batches:
            return False
        return time.monotonic() - self._told_s >= self._job.workspace.report_every_s

    def progress(self, place: Place) -> TrainingProgress:
        """What to report. Reads the losses, so it waits for the device. Raises TrainingError for NaN."""
        loss = place.losses.read()
        self._told_s = time.monotonic()
        elapsed_s = max(self._told_s - self._started_s, 1e-9)
        per_s = self._samples / elapsed_s
        left = (self._epochs - place.epoch) * self._rows - place.losses.rows
        return TrainingProgress(
            epoch=place.epoch + 1,
            epochs=self._epochs,
            batch=place.batch,
            loss=loss,
            samples=self._samples,
            eta_s=left / per_s if per_s else 0.0,
        )
