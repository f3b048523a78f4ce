"""gather: one model from the members of a training."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.artifacts import ArtifactRef
from shared.errors import TrainingError
from shared.messages.reports import AnyReport, Gathered
from shared.messages.tasks import GatherTask
from workers.stages.work import Work
from workers.training.gather import average


def run(work: Work) -> tuple[AnyReport, Any]:
    """Make one model of the members that the headers returned. Raises TrainingError if one failed."""
    task = work.task
    assert isinstance(task, GatherTask)
    if any("failed" in result for result in work.results):
        raise TrainingError("a member of this training failed, so there is no model to make of them")
    members = [work.store.read(msgspec.convert(result, ArtifactRef)) for result in work.results]
    name = f"models/{task.trigger_id}/.model.{work.attempt_name}.safetensors"
    return Gathered(**work.who, model=work.store.write(name, average(members))), {}
