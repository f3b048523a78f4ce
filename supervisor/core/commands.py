"""What the transition wants done, in order. The loop carries it out; none of it is needed to know the state."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.artifacts import ArtifactRef
from shared.ids import TaskId, TriggerId
from shared.messages.tasks import AnyTask, DecideTask, EvaluateTask, GatherTask, TrainTask


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done."""


class Publish(Command, frozen=True, kw_only=True):
    """Send one task."""

    task_id: TaskId
    task: AnyTask


class PublishChord(Command, frozen=True, kw_only=True):
    """Send headers whose results go to the body."""

    headers: tuple[tuple[TaskId, TrainTask | EvaluateTask], ...]
    body_id: TaskId
    body: GatherTask | DecideTask


class Republish(Command, frozen=True, kw_only=True):
    """Send a task again as a new attempt, in its place in its chord."""

    task_id: TaskId
    task: AnyTask
    chord: PublishChord | None
    results: tuple[object, ...] | None = None  # for a body: what its headers returned
    delay_s: float = 0.0  # workers die over it: not at once


class CommitTrainingSet(Command, frozen=True, kw_only=True):
    """Give the attempt's training set its final name."""

    trigger_id: TriggerId
    training_set: ArtifactRef


class CommitState(Command, frozen=True, kw_only=True):
    """Give what the strategy keeps after a selection its final name."""

    trigger_id: TriggerId
    state: ArtifactRef


class CommitModel(Command, frozen=True, kw_only=True):
    """Give the attempt's model its final name and write model.json."""

    trigger_id: TriggerId
    model: ArtifactRef


class RetireModel(Command, frozen=True, kw_only=True):
    """Remove the weights of a model that retention lets go of; its model.json stays."""

    trigger_id: TriggerId


class RetireState(Command, frozen=True, kw_only=True):
    """Remove what a strategy kept after this trigger."""

    trigger_id: TriggerId


class End(Command, frozen=True, kw_only=True):
    """The run is over."""

    status: Literal["finished", "failed"]
    reason: str


AnyCommand = (
    Publish | PublishChord | Republish | CommitTrainingSet | CommitState | CommitModel | RetireModel | RetireState | End
)
