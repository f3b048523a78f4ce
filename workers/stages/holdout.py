"""Trains a holdout model within a selection, once: as the pipeline says, on the validation rows that are known."""

from __future__ import annotations

from shared.class_names import ClassNames
from shared.messages.tasks import SelectTask
from workers.features.columns import Keys
from workers.stages.scratch import scratch
from workers.stages.work import Work
from workers.training import job as training
from workers.training.chosen_rows import EqualRows, TrainingRows
from workers.training.train import train


def trained_holdout(work: Work, keys: Keys, classes: ClassNames | None, device: str) -> bytes | None:
    """The model of these rows, each counting as any other; None if there are none.

    Its seed is its own, and goes by the trigger's row: the same rows give the same bytes, interrupted or not. Raises
    what `train` raises.
    """
    task, record = work.task, work.record
    assert isinstance(task, SelectTask)
    if not len(keys):
        return None
    with scratch("holdout") as folder:
        job = training.TrainingJob(
            model=record.pipeline.model,
            training=record.pipeline.training,
            data=record.pipeline.data,
            rows=TrainingRows(dataset=work.dataset(), chosen=EqualRows(keys)),
            previous=None,
            seed=work.seed("holdout", task.trigger_key),
            device=device,
            trusted_modules=record.trusted_modules,
            classes=classes,
            workspace=training.Workspace(
                checkpoint_folder=work.store.uri(f"checkpoints/{task.trigger_id}/holdout"),
                checkpoints_kept=record.checkpoints_kept,
                scratch_folder=folder,
                report_every_batches=record.pipeline.logging.metrics_every_batches,
                report_every_s=60.0,
            ),
        )
        return train(job, report=_untold, should_stop=work.child.should_stop).body


def _untold(progress: training.TrainingProgress) -> None:
    """Nobody is shown how far it is: what is shown is the selection."""
