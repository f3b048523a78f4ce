"""What travels: task messages to the workers, reports back, and the setup record. Small JSON with a version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self, cast

import msgspec

from shared.artifacts import ArtifactRef
from shared.config.pipeline import Pipeline, Target
from shared.config.system import Dataset
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.names import MESSAGE_VERSION, queue

Device = Literal["cpu", "cuda"]  # a kind of device, as far as results depend on it


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or part of one. Ids, ranges, URIs and hashes; never data, weights or code."""


class SetupRecord(Body, frozen=True, kw_only=True):
    """All that a worker needs to know of a run; the truth is in Redis, messages only name its version."""

    version: int
    run_id: RunId
    pipeline: Pipeline
    dataset: Dataset
    manifest_uri: str
    artifacts_uri: str  # where the run's training sets, models and checkpoints lie
    trusted_modules: tuple[str, ...]
    lease_s: float
    checkpoints_kept: int
    targets: tuple[Target, ...] = ()  # where models are deployed; a rehearsal's lie in its run directory


class Task(Body, tag_field="task", frozen=True, kw_only=True):
    """A task for a worker. `attempt` is the number that the supervisor journaled."""

    version: int = MESSAGE_VERSION
    run_id: RunId
    trigger_id: TriggerId
    setup_version: int
    attempt: int = 1

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


class SelectTask(Task, tag="select", frozen=True, kw_only=True):
    """Write the training set of a trigger."""

    first_key: int
    previous_trigger_keys: tuple[int, ...]
    trigger_key: int
    trigger_timestamp_us: int
    samples_seen: int


class TrainTask(Task, tag="train", frozen=True, kw_only=True):
    """Train one member on the training set."""

    member: int
    training_set: ArtifactRef
    trigger_key: int
    previous_model: ArtifactRef | None


class GatherTask(Task, tag="gather", frozen=True, kw_only=True):
    """Make one model of the members whose headers returned."""


class ModelRef(Body, frozen=True, kw_only=True):
    """A committed model, numbered by its trigger."""

    trigger_id: TriggerId
    object: ArtifactRef


class Stretch(Body, frozen=True, kw_only=True):
    """Rows to score a model on: keys first..last, less those with event time ≤ `after_us` at the start."""

    window: str
    slice: str  # the slice's first moment for `every` windows, else empty
    first_key: int
    last_key: int
    after_us: int | None
    event_time_us: int | None  # the running maximum before first_key, None at the start of the stream


class EvaluateTask(Task, tag="evaluate", frozen=True, kw_only=True):
    """Score models on stretches of rows: every model on every stretch."""

    models: tuple[ModelRef, ...]
    stretches: tuple[Stretch, ...]
    gate: bool = False  # a decision waits for it
    device: Device = "cpu"  # settled once per run: another one gives other last digits

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

    @property
    def queue(self) -> str:
        """It stands among the matrix."""
        return queue("evaluate")


class CheckTask(Task, tag="check", frozen=True, kw_only=True):
    """Build all that pipeline.yaml names and try it on a few rows."""

    @property
    def queue(self) -> str:
        """Where it will be trained."""
        return queue("train")


AnyTask = SelectTask | TrainTask | GatherTask | EvaluateTask | DecideTask | BaselineTask | CheckTask


class MetricScore(Body, frozen=True, kw_only=True):
    """One metric over some rows; `value` is None where it is undefined, and `error` says why."""

    metric: str
    value: float | None
    n: int
    error: str | None


class MetricValue(MetricScore, frozen=True, kw_only=True):
    """That of one model on one stretch."""

    trigger_id: TriggerId
    window: str
    slice: str
    first_timestamp_us: int | None
    last_timestamp_us: int | None


class Report(Body, tag_field="report", frozen=True, kw_only=True):
    """What a worker tells the supervisor of a task."""

    task_id: TaskId
    attempt: int
    worker: WorkerId


class Claimed(Report, tag="claimed", frozen=True, kw_only=True):
    """The worker took the task."""


class Selected(Report, tag="selected", frozen=True, kw_only=True):
    """The training set is written; the watermark is the last row actually read."""

    training_set: ArtifactRef
    samples: int
    rows_read: int
    watermark_key: int


class Trained(Report, tag="trained", frozen=True, kw_only=True):
    """One member is trained."""

    member: ArtifactRef
    train_s: float
    loss: float
    device: str


class Gathered(Report, tag="gathered", frozen=True, kw_only=True):
    """The members are one model."""

    model: ArtifactRef


class RivalScores(Body, frozen=True, kw_only=True):
    """What a model that a deployment target holds scores on the rows of the gate, whichever run put it there."""

    sha256: str
    scores: tuple[MetricValue, ...]


class Evaluated(Report, tag="evaluated", frozen=True, kw_only=True):
    """Models were scored; for a gate, those that the targets hold as well."""

    scores: tuple[MetricValue, ...]
    rivals: tuple[RivalScores, ...] = ()


class TargetDecision(Body, frozen=True, kw_only=True):
    """What was decided for one target, and what it holds since."""

    name: str
    deployed: bool
    reason: str
    decision: int | None  # of the target's own counter: who put there what it holds; None: it holds nothing
    run: RunId | None
    trigger: TriggerId | None


class Decided(Report, tag="decided", frozen=True, kw_only=True):
    """The gate was judged for each target, in their order, and the model deployed to it or not."""

    targets: tuple[TargetDecision, ...]


class Baselined(Report, tag="baselined", frozen=True, kw_only=True):
    """The baselines' scores of one window, and what the next one needs to know of the labels so far."""

    scores: dict[str, tuple[MetricValue, ...]]  # baseline → its scores
    history: dict[str, Any]


class Finding(Body, frozen=True, kw_only=True):
    """One thing that a check found wrong: at which key of pipeline.yaml, and with which exit code it ends the run."""

    path: str  # such as `training.optimizer.config.lrr`
    sentence: str  # value and remedy; does not repeat the path
    exit_code: int = 2  # 2: the file is wrong, 3: dataset or machine do not fit it


class Checked(Report, tag="checked", frozen=True, kw_only=True):
    """What the check found; nothing found is good."""

    findings: tuple[Finding, ...]


class Failed(Report, tag="failed", frozen=True, kw_only=True):
    """The task has finally failed; `traceback` is for the journal, `sentence` for people."""

    sentence: str
    traceback: str
    resumable: bool = False  # the cause lies outside the pipeline (a file, a disk): the run stops, --resume goes on
    device: bool = False  # the worker's device failed, so that another worker is to try


class Released(Report, tag="released", frozen=True, kw_only=True):
    """The worker handed the task back unfinished: it was asked to stop."""


class Progress(Report, tag="progress", frozen=True, kw_only=True):
    """How far a training is. Shown, never journaled."""

    epoch: int
    epochs: int
    loss: float
    eta_s: float


class SetUp(Body, tag_field="report", tag="set_up", frozen=True, kw_only=True):
    """A train worker is set up for the run, or why not."""

    worker: WorkerId
    hostname: str
    setup_version: int
    device: str
    versions: dict[str, str]
    error: str | None


AnyReport = (
    Claimed
    | Selected
    | Trained
    | Gathered
    | Evaluated
    | Decided
    | Baselined
    | Checked
    | Failed
    | Released
    | Progress
    | SetUp
)

_report_decoder = msgspec.json.Decoder(AnyReport)


def encode(message: msgspec.Struct) -> str:
    """A message as JSON text."""
    return msgspec.json.encode(message).decode()


def decode_report(text: str) -> AnyReport:
    """The report in a JSON text; raises msgspec.ValidationError with the path of what is wrong."""
    return cast(AnyReport, _report_decoder.decode(text))


def task_of(data: dict[str, Any]) -> AnyTask:
    """The task in a Celery argument; raises msgspec.ValidationError with the path of what is wrong."""
    return cast(AnyTask, msgspec.convert(data, AnyTask))


def object_of(report: Report) -> ArtifactRef | None:
    """The object that a report says was made, if it says that of any."""
    match report:
        case Selected():
            return report.training_set
        case Trained():
            return report.member
        case Gathered():
            return report.model
    return None


def result_of(report: Report) -> Any:
    """What a task returns to its chord: the part of its report that the body needs, as plain JSON."""
    if isinstance(report, Trained):
        return msgspec.to_builtins(report.member)
    if isinstance(report, Evaluated):
        return {"scores": msgspec.to_builtins(report.scores), "rivals": msgspec.to_builtins(report.rivals)}
    return {"failed": True} if isinstance(report, Failed) else {}
