"""Tasks: what the supervisor sends to workers, a class for each kind of work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self, cast

import msgspec

from shared.artifacts import ArtifactRef
from shared.class_names import ClassNames
from shared.ids import RunId, TriggerId
from shared.labels.as_of import AsOf
from shared.messages.message import Body
from shared.messages.version import MESSAGE_VERSION
from shared.names import queue

Device = Literal["cpu", "cuda"]  # a kind of device, as far as a task needs it; every worker has the first


class Task(Body, tag_field="task", frozen=True, kw_only=True):
    """A task for a worker. `attempt` is the number that the supervisor journaled."""

    version: int = MESSAGE_VERSION
    run_id: RunId
    trigger_id: TriggerId
    setup_version: int
    attempt: int = 1
    labels: AsOf | None = None  # as of when it reads labels; None: they stand in their rows

    @property
    def kind(self) -> str:
        """Which kind of task this is: select, train …"""
        return str(self.__struct_config__.tag)

    @property
    def queue(self) -> str:
        """The Celery queue of workers that have what this task needs."""
        return queue(self.kind)

    @property
    def reads(self) -> tuple[ModelRef, ...]:
        """The committed models that it reads."""
        return ()

    def reading(self, models: Sequence[ModelRef]) -> Self:
        """The same task with other models in the places of those."""
        return self


KeyRange = tuple[int, int]  # the keys first..last, both included


class Watermarks(Body, frozen=True, kw_only=True):
    """How far a trigger sees: the last row, and the last one whose label is known; None: there is none."""

    key: int
    labelled_key: int | None
    released: tuple[KeyRange, ...] = ()  # rows that were left out then, and no longer are; ascending and apart


class ModelRef(Body, frozen=True, kw_only=True):
    """A committed model, numbered by its trigger."""

    trigger_id: TriggerId
    object: ArtifactRef


class SelectTask(Task, tag="select", frozen=True, kw_only=True):
    """Write the training set of a trigger."""

    first_key: int
    previous: tuple[Watermarks, ...]  # of earlier triggers, oldest first
    trigger_key: int
    trigger_timestamp_us: int
    labelled_key: int | None
    first_labelled_key: int | None  # up to which classes that have names are numbered in the order of these
    classes: ClassNames | None = None  # those that an earlier selection knew, where they have names
    left_out: tuple[KeyRange, ...] = ()  # rows that are set aside, and not to be trained on; ascending and apart
    observed: Watermarks | None = None  # of the last trigger whose rows the strategy has observed; None: it has none
    state: ArtifactRef | None = None  # what the strategy kept then
    model: ModelRef | None = None  # the current one, where the strategy reads it and there is one
    device: Device = "cpu"  # that the model is asked on
    turn: int = 0  # so many triggers before selected something

    @property
    def queue(self) -> str:
        """Any worker selects; where the model is asked, one that trains on the device."""
        return queue("select") if self.model is None else queue("select_by_model", self.device)

    @property
    def reads(self) -> tuple[ModelRef, ...]:
        """The current model."""
        return () if self.model is None else (self.model,)

    def reading(self, models: Sequence[ModelRef]) -> Self:
        """The same selection by another model."""
        return msgspec.structs.replace(self, model=models[0] if models else None)


class TrainTask(Task, tag="train", frozen=True, kw_only=True):
    """Train one member on the training set."""

    member: int
    training_set: ArtifactRef
    trigger_key: int
    previous_model: ArtifactRef | None
    device: Device = "cpu"  # cuda: the pipeline asks for it; else any will do

    @property
    def queue(self) -> str:
        """That of workers which have the device."""
        return queue("train", self.device)


class GatherTask(Task, tag="gather", frozen=True, kw_only=True):
    """Make one model of the members whose headers returned."""


class Stretch(Body, frozen=True, kw_only=True):
    """Rows to score a model on: keys first..last, less those with event time ≤ `after_us` at the start."""

    window: str
    slice: str  # the slice's first moment for `every` windows, else empty
    first_key: int
    last_key: int
    after_us: int | None
    event_time_us: int | None  # the running maximum before first_key, None at the start of the stream


class Calibration(Body, frozen=True, kw_only=True):
    """The rows that a model's probabilities may be calibrated on: those held out of trainings, as of some moment."""

    trigger_id: TriggerId  # of the model
    trigger_key: int  # rows behind it are new to the model
    first_key: int
    last_key: int  # the last row whose label was known
    labels: AsOf | None = None  # as of when labels are read; None: they stand in their rows
    left_out: tuple[KeyRange, ...] = ()  # rows that are set aside; ascending and apart


class EvaluateTask(Task, tag="evaluate", frozen=True, kw_only=True):
    """Score models on stretches of rows: every model on every stretch."""

    models: tuple[ModelRef, ...]
    stretches: tuple[Stretch, ...]
    gate: bool = False  # a decision waits for it
    device: Device = "cpu"  # settled once per run: another one gives other last digits
    calibrations: tuple[Calibration, ...] = ()  # of models whose scores are to be estimated
    early: bool = False  # labels are waited for: scores are only estimated

    @property
    def queue(self) -> str:
        """Decisions come before the matrix; scores of one kind of device come from workers that have one."""
        return queue("gate" if self.gate else "evaluate", self.device)

    @property
    def reads(self) -> tuple[ModelRef, ...]:
        """All that it scores."""
        return self.models

    def reading(self, models: Sequence[ModelRef]) -> Self:
        """The same stretches, with other models."""
        return msgspec.structs.replace(self, models=tuple(models))


class DecideTask(Task, tag="decide", frozen=True, kw_only=True):
    """Judge the candidate by the gate against what each target holds, and deploy it where it passes."""

    candidate: ModelRef
    gate: Stretch | None  # the rows that its scores are of
    device: Device  # what comes up meanwhile is scored on the same kind
    known: dict[str, int]  # target → its newest decision as the run knew it: what came later must be looked at

    @property
    def queue(self) -> str:
        """Behind a gate a model may have to be scored: by a worker that has the device for it."""
        return queue("decide", self.device if self.gate is not None else "cpu")

    @property
    def reads(self) -> tuple[ModelRef, ...]:
        """Only the candidate: what targets hold is theirs."""
        return (self.candidate,)

    def reading(self, models: Sequence[ModelRef]) -> Self:
        """The same decision on another candidate."""
        return msgspec.structs.replace(self, candidate=models[0])


class BaselineTask(Task, tag="baseline", frozen=True, kw_only=True):
    """Score what needs no model on the rows of one window; `history` is what the window before handed on."""

    first_key: int
    last_key: int
    history: dict[str, Any] | None
    unknown_key: int  # the first row whose label no trigger knows that has fired by then
    first_labelled_key: int | None  # up to which classes that have names are numbered in the order of these
    classes: ClassNames | None = None  # those that are known so far, where they have names

    @property
    def queue(self) -> str:
        """It stands among the matrix."""
        return queue("evaluate")


class DetectTask(Task, tag="detect", frozen=True, kw_only=True):
    """Answer a question of the trigger policy. `trigger_id`: the next trigger, should the answer lead to it."""

    number: int  # of the question, in the run
    key: int  # the last row that was looked at
    timestamp_us: int  # event time at that row
    labelled_key: int | None = None  # the last row whose label is known there; None: there is none
    detector: str  # its name in shared/plugins.py
    options: dict[str, Any]
    left_out: tuple[KeyRange, ...] = ()  # rows that are set aside: nothing is compared with them
    model: ModelRef | None = None  # the current one, where the detector reads it and there is one

    @property
    def reads(self) -> tuple[ModelRef, ...]:
        """The current model."""
        return () if self.model is None else (self.model,)

    def reading(self, models: Sequence[ModelRef]) -> Self:
        """The same question about another model."""
        return msgspec.structs.replace(self, model=models[0] if models else None)


class CheckTask(Task, tag="check", frozen=True, kw_only=True):
    """Build all that pipeline.yaml names and try it on a few rows."""

    device: Device = "cpu"  # as of the trainings that follow

    @property
    def queue(self) -> str:
        """Where it will be trained."""
        return queue("train", self.device)


AnyTask = SelectTask | TrainTask | GatherTask | EvaluateTask | DecideTask | BaselineTask | DetectTask | CheckTask


def task_of(data: dict[str, Any]) -> AnyTask:
    """The task in a Celery argument; raises msgspec.ValidationError with the path of what is wrong."""
    return cast(AnyTask, msgspec.convert(data, AnyTask))
