"""Reports: what workers tell the supervisor of their tasks, and what is in them."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from shared.artifacts import ArtifactRef
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.message import Body


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
    unlabelled: int = 0  # rows of the stretch and its split that have no label, and so no score
    estimated: float | None = None  # what it was expected to be, without a label of these rows; None: it is not told


class Estimated(Body, frozen=True, kw_only=True):
    """How the scores of one model on one stretch were estimated, and what speaks against it."""

    trigger_id: TriggerId
    window: str
    slice: str
    rows: int = 0  # of the stretch, whether they have a label or not
    calibrated_on: int = 0  # so many rows
    effective_rows: float | None = None  # that tell as much as these, once they are weighted; None: they are not
    shift: float | None = None  # ROC-AUC of telling the two apart by their features: .5 where nothing has moved
    calibration_error: float | None = None  # of the chances, on the rows with a label; None: there is none yet
    error: str | None = None  # why nothing is estimated


class Report(Body, tag_field="report", frozen=True, kw_only=True):
    """What a worker tells the supervisor of a task."""

    task_id: TaskId
    attempt: int
    worker: WorkerId


class Claimed(Report, tag="claimed", frozen=True, kw_only=True):
    """The worker took the task."""


class NewClasses(Body, frozen=True, kw_only=True):
    """Names of classes that were met first between two selections, or listed; `before`: how many were known."""

    before: int
    names: tuple[str, ...]


class Chosen(Body, frozen=True, kw_only=True):
    """How the rows of a training set were chosen, where that is not as always."""

    by: str | None = None  # whose turn it was, where strategies take turns
    remembered: int = 0  # samples that were not among the rows read, but in what the strategy keeps
    without_model: bool = False  # the strategy would have asked the current model, and there is none yet


class Selected(Report, tag="selected", frozen=True, kw_only=True):
    """The training set is written; the watermark is the last row actually read."""

    training_set: ArtifactRef
    samples: int
    rows_read: int
    watermark_key: int
    dropped: dict[str, int] = {}  # label column → rows since the previous trigger that have no label there
    classes: NewClasses | None = None  # None: classes have no names
    state: ArtifactRef | None = None  # what the strategy keeps for the next trigger; None: nothing
    chosen: Chosen = Chosen()
    select_s: float | None = None  # from taking up the task to the written set; None: by a version that did not say


class UnknownCategories(Body, frozen=True, kw_only=True):
    """Texts of one column that are none of the encoder's categories."""

    rows: int
    commonest: dict[str, int]  # category → rows, of a few


class FeatureNotes(Body, frozen=True, kw_only=True):
    """What became numbers in a training set although it was not simply there, or not as the encoder expects it."""

    rows: int = 0  # of the training set
    imputed: dict[str, int] = {}  # column → nulls
    unknown: dict[str, UnknownCategories] = {}  # column → what is all zero
    constant: tuple[str, ...] = ()  # columns that have not varied so far, and are 0
    scaled: tuple[str, ...] = ()  # columns that were constant before, and are scaled from now on
    grown: dict[str, tuple[str, ...]] = {}  # column → categories that are known from now on, a few of them
    moved: dict[str, float] = {}  # column → how many of the encoder's deviations its mean is away, where that is far


class Trained(Report, tag="trained", frozen=True, kw_only=True):
    """One member is trained."""

    member: ArtifactRef
    train_s: float
    loss: float
    device: str
    features: FeatureNotes = FeatureNotes()


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
    estimates: tuple[Estimated, ...] = ()


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
    dropped: dict[str, int] = {}  # label column → rows of the window that have no label there


class Detected(Report, tag="detected", frozen=True, kw_only=True):
    """What a detector found; the trigger policy knows what it means."""

    answer: dict[str, Any]  # what JSON can hold


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
    findings: tuple[Finding, ...] = ()  # what it lacks of what the pipeline names: it can do nothing for the run


AnyReport = (
    Claimed
    | Selected
    | Trained
    | Gathered
    | Evaluated
    | Decided
    | Baselined
    | Detected
    | Checked
    | Failed
    | Released
    | Progress
    | SetUp
)


_report_decoder = msgspec.json.Decoder(AnyReport)


def decode_report(text: str) -> AnyReport:
    """The report in a JSON text; raises msgspec.ValidationError with the path of what is wrong."""
    return cast(AnyReport, _report_decoder.decode(text))


def objects_of(report: Report) -> tuple[ArtifactRef, ...]:
    """The objects that a report says were made."""
    match report:
        case Selected():
            return (report.training_set,) if report.state is None else (report.training_set, report.state)
        case Trained():
            return (report.member,)
        case Gathered():
            return (report.model,)
    return ()


def result_of(report: Report) -> Any:
    """What a task returns to its chord: the part of its report that the body needs, as plain JSON."""
    if isinstance(report, Trained):
        return msgspec.to_builtins(report.member)
    if isinstance(report, Evaluated):
        return {"scores": msgspec.to_builtins(report.scores), "rivals": msgspec.to_builtins(report.rivals)}
    return {"failed": True} if isinstance(report, Failed) else {}
