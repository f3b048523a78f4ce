"""detect: answer a question of the trigger policy."""

from __future__ import annotations

from typing import Any

from shared.messages.reports import AnyReport, Detected
from shared.messages.tasks import DetectTask
from shared.plugins import DETECTORS
from workers.detection.detector import Detector, Sight
from workers.going_on import Interrupted
from workers.stages.scoring import load_committed, scoring_device
from workers.stages.work import Work


def run(work: Work) -> tuple[AnyReport, Any]:
    """Have the detector look. Raises DataError, ArtifactError."""
    task = work.task
    assert isinstance(task, DetectTask)
    device, model = scoring_device(work, "cpu"), None

    def go_on() -> None:
        if work.child.should_stop():
            raise Interrupted("stopped while a question was being answered")

    if task.model is not None:
        model = load_committed(work, task.model.object, device).heard(go_on)
    sight = Sight(
        key=task.key,
        timestamp_us=task.timestamp_us,
        labelled_key=task.labelled_key,
        left_out=task.left_out,
        dataset=work.dataset(),
        label_index=work.label_index,
        pipeline=work.record.pipeline,
        model=model,
        model_trigger=None if task.model is None else task.model.trigger_id,
        seed=work.seed("detect", task.key),
        go_on=go_on,
    )
    detector: Detector = DETECTORS[task.detector](task.options)
    return Detected(**work.who, answer=detector.answer(sight)), {}
