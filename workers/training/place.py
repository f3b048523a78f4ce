"""Where a training stands, and what it says about that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from workers.training.checkpoints import Checkpoint, Checkpoints
from workers.training.job import TrainingJob, TrainingProgress
from workers.training.learner import Learner
from workers.training.losses import Learned
from workers.training.losses_seen import LossesSeen
from workers.training.order.row_losses import RowLosses
from workers.training.order.rule import Epoch, EpochRule


@dataclass
class Place:
    """Between two batches. Epoch and batch count from 0 and name the next to be done."""

    epoch: int = 0
    batch: int = 0
    losses: LossesSeen = field(default_factory=lambda: LossesSeen(epoch=0))
    row_losses: RowLosses | None = None  # where they decide what is learned from
    spent_s: float = 0.0  # by earlier attempts, up to the checkpoint that this one went on from

    def add(self, learned: Learned, rows: int) -> None:
        """The next batch was done, of so many rows."""
        self.losses.add(learned.loss, rows)
        if self.row_losses is not None and learned.of_rows is not None:
            self.row_losses.add(learned.of_rows)
        self.batch += 1

    def after(self, epoch: Epoch) -> Place:
        """The place behind this epoch, which has ended."""
        if self.row_losses is not None:
            self.row_losses.end(epoch)
        return Place(self.epoch + 1, losses=LossesSeen(self.epoch + 1), row_losses=self.row_losses)


def restore_place(learner: Learner, checkpoints: Checkpoints, rule: EpochRule, rows: int) -> Place:
    """Go on from the newest usable checkpoint, or from the beginning, in a set of so many rows."""
    left = checkpoints.newest()
    if left is None:
        return Place(row_losses=RowLosses(rows) if rule.reads_losses else None)
    learner.restore(left.learner)
    losses = LossesSeen(left.epoch, left.batch, left.loss_total, left.loss_rows)
    of_rows = RowLosses(rows, left.row_losses, left.epoch_losses) if rule.reads_losses else None
    return Place(left.epoch, left.batch, losses, of_rows, left.spent_s)


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
        of_rows, of_epoch = (None, None) if place.row_losses is None else place.row_losses.state()
        self._checkpoints.save(
            Checkpoint(
                learner=self._learner.state(),
                epoch=place.epoch,
                batch=place.batch,
                loss_total=place.losses.total,
                loss_rows=place.losses.rows,
                spent_s=spent_s,
                row_losses=of_rows,
                epoch_losses=of_epoch,
            )
        )
        self._last_s = time.monotonic()


class Speed:
    """Speed and time left, as this process has seen them since it began to train."""

    def __init__(self, job: TrainingJob) -> None:
        self._job, self._epochs = job, job.training.epochs
        self._batches = self._rows = 0  # of this epoch
        self._started_s = self._told_s = time.monotonic()
        self._gone_through = self._samples = 0

    def begin(self, batches: int, rows: int) -> None:
        """An epoch of so many; those behind it are taken to be as large."""
        self._batches, self._rows = batches, rows

    def count(self, gone_through: int, samples: int) -> None:
        """So many rows more are done with, and so many samples were learned from for them."""
        self._gone_through += gone_through
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
        per_s = self._gone_through / elapsed_s
        left = (self._epochs - place.epoch) * self._rows - place.losses.rows
        return TrainingProgress(
            epoch=place.epoch + 1,
            epochs=self._epochs,
            batch=place.batch,
            loss=loss,
            samples=self._samples,
            eta_s=left / per_s if per_s else 0.0,
        )
