"""On which kind of device a run's scores are computed: settled once, as another kind gives other last digits."""

from __future__ import annotations

from collections.abc import Sequence

from shared.command import COMMAND
from shared.config.pipeline import Pipeline
from shared.errors import NotReadyError
from shared.fleet import WorkerEntry
from shared.messages.tasks import Device


def evaluation_device(pipeline: Pipeline, workers: Sequence[WorkerEntry]) -> Device:
    """What `evaluation.device` comes to with this fleet. Raises NotReadyError if it asks for what is not there.

    `auto`: on GPUs where the pipeline trains on one, and a worker that evaluates has one.
    """
    wanted = pipeline.evaluation.device
    evaluates = any(worker.role == "evaluate" and _has_gpu(worker) for worker in workers)
    if wanted == "cuda" and not evaluates:
        raise NotReadyError(
            "evaluation.device is cuda, but no evaluate worker has a GPU; start one with "
            f"{COMMAND} worker CONFIG --role evaluate --device cuda, or write `device: auto`."
        )
    trains = pipeline.training.device != "cpu" and any(
        worker.role == "train" and _has_gpu(worker) for worker in workers
    )
    return "cuda" if wanted == "cuda" or (wanted == "auto" and trains and evaluates) else "cpu"


def _has_gpu(worker: WorkerEntry) -> bool:
    return worker.kind_of_device == "cuda"
