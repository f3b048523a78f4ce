"""Every message survives the way to the other side, and what is no message is refused."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest

from shared.artifacts import ArtifactRef
from shared.class_names import ClassNames
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages import reports, tasks
from shared.messages.message import encode
from shared.messages.reports import MetricValue, decode_report, result_of
from shared.messages.tasks import ModelRef, Stretch, Watermarks, task_of

OBJECT = ArtifactRef(name="models/3/Zürich.safetensors", sha256="ab" * 32, size_bytes=2**40)
MODEL = ModelRef(trigger_id=TriggerId(3), object=OBJECT)
STRETCH = Stretch(window="next", slice="", first_key=0, last_key=2**40, after_us=None, event_time_us=-5)
SCORE = MetricValue(
    trigger_id=TriggerId(3), window="recent", slice="", metric="auroc", value=None, n=0,
    first_timestamp_us=None, last_timestamp_us=None, error='only the class "1" is there',
)  # fmt: skip
MEASURED = msgspec.structs.replace(SCORE, value=0.1 + 0.2, n=7, first_timestamp_us=-1, last_timestamp_us=2, error=None)
NOWHERE = reports.TargetDecision(
    name="flights", deployed=False, reason="0.59 is below 0.6", decision=None, run=None, trigger=None
)
TAKEN = {"name": "b", "deployed": True, "reason": "", "decision": 7, "run": RunId("r"), "trigger": TriggerId(3)}
OF_A_TASK = {"run_id": RunId("20250101T000000Z-ab12cd"), "trigger_id": TriggerId(3), "setup_version": 1, "attempt": 2}
OF_A_REPORT = {"task_id": TaskId("run/3/train/0"), "attempt": 2, "worker": WorkerId("w")}

SELECTING = {
    **OF_A_TASK,
    "first_key": 0,
    "previous": (Watermarks(key=9, labelled_key=None), Watermarks(key=19, labelled_key=9)),
    "labelled_key": 19,
    "trigger_key": 29,
    "trigger_timestamp_us": -1,
    "first_labelled_key": 9,
}

TASKS = [
    tasks.SelectTask(**SELECTING, classes=ClassNames(names=("no", "ja, größer"), until=19)),
    tasks.TrainTask(**OF_A_TASK, member=1, training_set=OBJECT, trigger_key=29, previous_model=None),
    tasks.TrainTask(**OF_A_TASK, member=1, training_set=OBJECT, trigger_key=29, previous_model=OBJECT),
    tasks.GatherTask(**OF_A_TASK),
    tasks.EvaluateTask(**OF_A_TASK, models=(MODEL, MODEL), stretches=(STRETCH, STRETCH)),
    tasks.EvaluateTask(**OF_A_TASK, models=(MODEL,), stretches=(STRETCH,), gate=True, device="cuda"),
    tasks.DecideTask(**OF_A_TASK, candidate=MODEL, gate=None, device="cpu", known={}),
    tasks.DecideTask(**OF_A_TASK, candidate=MODEL, gate=STRETCH, device="cpu", known={"flights": 7}),
    tasks.BaselineTask(
        **OF_A_TASK,
        first_key=1,
        last_key=2,
        history={"counts": [[0, 3], [1, 4]], "last": 0.5},
        unknown_key=1,
        first_labelled_key=9,
    ),
    tasks.DetectTask(**OF_A_TASK, number=7, key=29, timestamp_us=-1, detector="drift", options={"rows": [1, 0.5]}),
    tasks.DetectTask(**OF_A_TASK, number=7, key=29, timestamp_us=-1, detector="drift", options={}, model=MODEL),
    tasks.CheckTask(**OF_A_TASK),
    tasks.CheckTask(**OF_A_TASK, device="cuda"),
    tasks.SelectTask(**SELECTING, observed=Watermarks(key=9, labelled_key=9), state=OBJECT, model=MODEL, device="cuda"),
]
NOTES = reports.FeatureNotes(
    rows=10,
    imputed={"wind": 2},
    unknown={"origin": reports.UnknownCategories(rows=3, commonest={"SFO": 2, "OAK": 1})},
    constant=("z",),
    scaled=("y",),
    grown={"sky": ("fog",)},
    moved={"wind": -3.5},
)
REPORTS = [
    reports.Claimed(**OF_A_REPORT),
    reports.Selected(**OF_A_REPORT, training_set=OBJECT, samples=3, rows_read=10, watermark_key=29),
    reports.Selected(
        **OF_A_REPORT, training_set=OBJECT, samples=3, rows_read=10, watermark_key=29, dropped={"label": 2}
    ),
    reports.Trained(**OF_A_REPORT, member=OBJECT, train_s=1.5, loss=1e-7, device="cuda:0"),
    reports.Trained(**OF_A_REPORT, member=OBJECT, train_s=1.5, loss=1e-7, device="cpu", features=NOTES),
    reports.Gathered(**OF_A_REPORT, model=OBJECT),
    reports.Evaluated(**OF_A_REPORT, scores=(SCORE, MEASURED)),
    reports.Evaluated(**OF_A_REPORT, scores=(SCORE,), rivals=(reports.RivalScores(sha256="0", scores=(MEASURED,)),)),
    reports.Decided(**OF_A_REPORT, targets=(NOWHERE, reports.TargetDecision(**TAKEN))),
    reports.Baselined(
        **OF_A_REPORT, scores={"majority": (MEASURED,), "no_change": ()}, history={"last": None}, dropped={"y": 1}
    ),
    reports.Detected(**OF_A_REPORT, answer={"mmd": {"value": 0.1, "p": None}}),
    reports.Checked(**OF_A_REPORT, findings=(reports.Finding(path="loss.name", sentence="no such loss", exit_code=2),)),
    reports.Failed(**OF_A_REPORT, sentence="It broke.", traceback="Traceback…\n  line", resumable=True, device=True),
    reports.Released(**OF_A_REPORT),
    reports.Progress(**OF_A_REPORT, epoch=1, epochs=2, loss=0.5, eta_s=9.0),
    reports.SetUp(
        worker=WorkerId("w"), hostname="train-0@host", setup_version=1, device="cpu", versions={}, error=None
    ),
    reports.Selected(
        **OF_A_REPORT,
        training_set=OBJECT,
        samples=3,
        rows_read=10,
        watermark_key=29,
        classes=reports.NewClasses(before=2, names=("vielleicht",)),
    ),
    reports.Selected(
        **OF_A_REPORT, training_set=OBJECT, samples=3, rows_read=10, watermark_key=29, state=OBJECT, select_s=0.5
    ),
    reports.Selected(
        **OF_A_REPORT,
        training_set=OBJECT,
        samples=3,
        rows_read=10,
        watermark_key=29,
        chosen=reports.Chosen(by="craig", remembered=2, without_model=True),
    ),
]


def named(message):
    """What a test's name calls a message."""
    return type(message).__name__


def plain(message):
    """A message as Celery carries it: JSON and back."""
    return msgspec.json.decode(encode(message))


def test_the_examples_are_of_every_kind():
    """A new kind of message comes into these tests."""
    assert {type(task) for task in TASKS} == set(get_args(tasks.AnyTask))
    assert {type(report) for report in REPORTS} == set(get_args(reports.AnyReport))


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_a_task_arrives_as_it_was_sent(task):
    """Every field, and the kind that its queue is found by."""
    assert task_of(plain(task)) == task
    assert task_of(plain(task)).kind == plain(task)["task"]


@pytest.mark.parametrize("report", REPORTS, ids=named)
def test_a_report_arrives_as_it_was_sent(report):
    """Every field, floats to the last bit."""
    assert decode_report(encode(report)) == report


@pytest.mark.parametrize("message", [*TASKS, *REPORTS], ids=named)
def test_a_message_is_small_json_of_one_line(message):
    """It can be a line of the journal or an entry of a stream, and is of hundreds of bytes."""
    assert "\n" not in encode(message)
    assert len(encode(message).encode()) < 1000


@pytest.mark.parametrize("message", [*TASKS, *REPORTS], ids=named)
def test_a_message_that_lacks_a_field_is_refused(message):
    """Whichever it is, it is named, and no default takes its place."""
    read = task_of if isinstance(message, tasks.Task) else lambda data: decode_report(msgspec.json.encode(data))
    for field in msgspec.structs.fields(message):
        if field.required:
            lacking = {name: value for name, value in plain(message).items() if name != field.encode_name}
            with pytest.raises(msgspec.ValidationError, match=f"`{field.encode_name}`"):
                read(lacking)


@pytest.mark.parametrize("text", ['{"report": "landed"}', '{"task_id": "a"}', "[]", "null"])
def test_a_report_of_no_known_kind_is_refused(text):
    """What another version might say is not guessed at."""
    with pytest.raises(msgspec.ValidationError):
        decode_report(text)


@pytest.mark.parametrize("kind", ["dream", "selected", None])
def test_a_task_of_no_known_kind_is_refused(kind):
    """Nor is a report taken for a task, nor what names no kind."""
    with pytest.raises(msgspec.ValidationError):
        task_of({**plain(TASKS[0]), "task": kind})


def test_a_value_of_the_wrong_type_is_refused_with_its_path():
    """The sentence says where in the message."""
    with pytest.raises(msgspec.ValidationError, match=r"training_set\.size_bytes"):
        task_of({**plain(TASKS[1]), "training_set": {"name": "n", "sha256": "s", "size_bytes": "much"}})


def test_what_a_body_gets_of_its_headers():
    """The member's address of a training, the scores of an evaluation, a mark for a failure: all plain JSON."""
    by_kind = {type(report): result_of(report) for report in REPORTS if isinstance(report, reports.Report)}
    assert msgspec.convert(by_kind[reports.Trained], ArtifactRef) == OBJECT
    evaluated = by_kind[reports.Evaluated]
    assert msgspec.convert(evaluated["scores"], tuple[MetricValue, ...]) == (SCORE,)
    assert evaluated["rivals"][0]["sha256"] == "0"
    assert by_kind[reports.Failed] == {"failed": True}
    for result in by_kind.values():
        assert msgspec.json.decode(json.dumps(result)) == msgspec.json.decode(msgspec.json.encode(result))


def test_reports_of_workers_that_count_no_nulls_are_read():
    """A report without what was added later says that there was none."""
    trained = {name: one for name, one in plain(REPORTS[3]).items() if name != "features"}
    selected = {name: one for name, one in plain(REPORTS[1]).items() if name not in ("dropped", "classes")}
    assert decode_report(msgspec.json.encode(trained).decode()).features == reports.FeatureNotes()
    told = decode_report(msgspec.json.encode(selected).decode())
    assert (told.dropped, told.classes) == ({}, None)
