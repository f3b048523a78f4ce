"""train: a member from a training set, and how far that is on the way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import redis

from shared.errors import DataError
from shared.messages.message import encode
from shared.messages.reports import AnyReport, Progress, Trained, result_of
from shared.messages.tasks import TrainTask
from shared.names import PROGRESS_KEPT, PROGRESS_TTL_MS, progress_key
from shared.training_set import TrainingSetFile
from workers.selection.batches import BATCH_RULES
from workers.stages.scratch import scratch
from workers.stages.work import Work
from workers.training import job as training
from workers.training.chosen_rows import TrainingRows
from workers.training.device import of_worker
from workers.training.train import train

_REPORT_EVERY_S = 1.0  # a report reads the losses, which waits for the GPU


def run(work: Work) -> tuple[AnyReport, Any]:
    """Train one member. Raises Interrupted when the worker is asked to stop, and what training raises."""
    task, record = work.task, work.record
    assert isinstance(task, TrainTask)
    device = of_worker(record.pipeline.training.device, work.child.device)
    with scratch("train") as folder:
        training_set = _training_set(work, folder / "set.parquet")
        job = training.TrainingJob(
            model=record.pipeline.model,
            training=record.pipeline.training,
            data=record.pipeline.data,
            rows=TrainingRows(dataset=work.dataset(), chosen=training_set),
            previous=work.store.read(task.previous_model) if task.previous_model else None,
            seed=work.seed("train", task.trigger_key),
            device=device,
            trusted_modules=record.trusted_modules,
            classes=training_set.origin.classes,
            rule=training_set.origin.rule,
            batch_rules=BATCH_RULES,
            workspace=training.Workspace(
                checkpoint_folder=work.store.uri(f"checkpoints/{task.trigger_id}/{task.member}"),
                checkpoints_kept=record.checkpoints_kept,
                scratch_folder=folder,
                report_every_batches=record.pipeline.logging.metrics_every_batches,
                report_every_s=_REPORT_EVERY_S,
            ),
        )
        trained = train(job, report=Shown(work), should_stop=work.child.should_stop)
    name = f"models/{task.trigger_id}/.member-{task.member}.{work.attempt_name}.safetensors"
    ref = work.store.write(name, trained.body)
    report = Trained(
        **work.who,
        member=ref,
        train_s=trained.seconds,
        loss=trained.loss,
        device=device,
        features=trained.features,
    )
    return report, result_of(report)


def _training_set(work: Work, path: Path) -> TrainingSetFile:
    """The task's set, brought here. Raises DataError if rows were not read that should have been, ArtifactError."""
    task = work.task
    assert isinstance(task, TrainTask)
    work.store.read_file(task.training_set, path)
    found = TrainingSetFile(path)
    if found.origin.watermark_key < task.trigger_key:
        raise DataError(
            f"the training set of trigger {task.trigger_id} ends at key {found.origin.watermark_key}, "
            f"before the trigger's {task.trigger_key}; rows were not read that should have been."
        )
    return found


class Shown:
    """Tells the supervisor how far a training is, once a second at most, on a stream of its own that is capped.

    Nobody waits for that, and the training does not wait for a broker. One that answers nobody is tried so seldom that
    it takes a tenth of the training's time at most.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._from_s = 0.0
        self._learned = 0

    def __call__(self, progress: training.TrainingProgress) -> None:
        """Tell it, or leave it."""
        self._work.child.measured.learned(progress.samples - self._learned, progress.loss)
        self._learned = progress.samples
        began_s = time.monotonic()
        if began_s < self._from_s:
            return
        shown = Progress(
            **self._work.who, epoch=progress.epoch, epochs=progress.epochs, loss=progress.loss, eta_s=progress.eta_s
        )
        self._from_s = began_s + _REPORT_EVERY_S
        try:
            self._tell(encode(shown))
        except redis.RedisError:
            ended_s = time.monotonic()
            self._from_s = max(self._from_s, ended_s + 9 * (ended_s - began_s))

    def _tell(self, report: str) -> None:
        key = progress_key(self._work.record.run_id)
        pipe = self._work.child.client.pipeline(transaction=False)
        pipe.xadd(key, {"report": report}, maxlen=PROGRESS_KEPT, approximate=True)
        pipe.pexpire(key, PROGRESS_TTL_MS)
        pipe.execute()
