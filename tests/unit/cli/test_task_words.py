"""What a worker does, in words."""

from __future__ import annotations

import pytest

from shared.artifacts import ArtifactRef
from shared.ids import RunId, TriggerId, task_id
from shared.messages.tasks import AnyTask, BaselineTask, EvaluateTask, GatherTask, ModelRef, Stretch
from supervisor.cli.task_words import in_words

OF_TASK = {"run_id": RunId("run"), "trigger_id": TriggerId(3), "setup_version": 1}


def stretch(window: str, of_slice: str = "") -> Stretch:
    """Some rows."""
    return Stretch(window=window, slice=of_slice, first_key=0, last_key=9, after_us=None, event_time_us=None)


def evaluate(models: tuple[int, ...], *stretches: Stretch) -> EvaluateTask:
    """These models on these rows."""
    ref = ArtifactRef(name="m", sha256="0", size_bytes=1)
    refs = tuple(ModelRef(trigger_id=TriggerId(number), object=ref) for number in models)
    return EvaluateTask(**OF_TASK, models=refs, stretches=stretches)


BASELINES = BaselineTask(
    **OF_TASK, first_key=0, last_key=9, history=None, unknown_key=0, first_labelled_key=0, classes=()
)
WEEKS = [stretch("weekly", f"2013-01-{day:02}T00:00:00.000000Z") for day in (7, 14)]


@pytest.mark.parametrize(
    ("stage", "task", "words"),
    [
        ("gather", GatherTask(**OF_TASK), "gather 3"),
        ("baseline", BASELINES, "baselines behind trigger 3"),
        ("score", evaluate((0, 2, 3), stretch("next")), "models 0, 2 and 3 on next"),
        ("slices", evaluate((3,), *WEEKS), "model 3 on 2 slices of weekly from 2013-01-07 on"),
        ("slices", evaluate((3,), stretch("last"), WEEKS[0]), "model 3 on last, 1 slice of weekly from 2013-01-07 on"),
    ],
)
def test_what_a_worker_does(stage: str, task: AnyTask, words: str) -> None:
    """Which models, on which windows; of many slices where they begin."""
    assert in_words(task_id(RunId("run"), TriggerId(3), stage), task) == words
