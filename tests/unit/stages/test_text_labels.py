"""What workers make of labels that are texts is what they make of the same labels numbered by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from children import child_of
from workplace import Workplace, table

from shared.artifacts import ArtifactRef
from shared.claims import Attempt
from shared.class_names import ClassNames
from shared.config.load import load_configuration
from shared.config.pipeline import Target
from shared.dataset.discovery import discover
from shared.errors import RowError
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.reports import Baselined, Evaluated, MetricValue, NewClasses, Selected, Trained
from shared.messages.tasks import (
    AnyTask,
    BaselineTask,
    EvaluateTask,
    ModelRef,
    SelectTask,
    Stretch,
    TrainTask,
    Watermarks,
)
from shared.targets.directory import DirectoryTarget
from shared.targets.target import Candidate
from shared.training_set import TrainingSetFile
from supervisor.system.setup import setup_record
from workers.features.class_names import LaterClasses
from workers.models.model_file import unpack
from workers.stages import baseline, evaluate, select, train
from workers.stages.work import Work

NAMES = ("a man", "the moon", "Ärger", "zebra ")  # the third and the fourth come late
TRIGGERS = (499, 999, 1_499)
ROWS = 2_000
OF = {"run_id": RunId("run"), "setup_version": 1}


def numbers() -> npt.NDArray[np.int64]:
    """Labels of 2,000 rows: two classes, from key 700 on three, and from 1,300 on four."""
    labels = table(ROWS).column("label").to_numpy().copy()
    labels[700::7] = 2
    labels[1_300::9] = 3
    return labels


@dataclass
class Desk:
    """A run of the workplace whose tasks are done here, one after the other."""

    small: Workplace
    fresh: bool = False  # whether each task is done by a process that has met no rows yet
    known: ClassNames | None = None
    history: dict[str, Any] | None = None
    models: list[ModelRef] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.small.write()
        files = (self.small.folder / "pipeline.yaml", self.small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        root = configuration.system.artifacts_root
        discover(configuration.system.datasets["rows"], root)
        self.record = setup_record(configuration, RunId("run"), str(self.small.run_dir), root, serves=False)
        self.child = child_of(self.small.folder)

    def go_on_after_failures(self) -> None:
        """Bad rows end no run any more; and what files there are is looked at again."""
        self.small.pipeline["training"]["on_failure"] = "continue"
        self.__post_init__()

    def do(self, stage: Any, task: AnyTask) -> Any:
        """The report on a task."""
        if self.fresh:
            self.child.later_classes = LaterClasses()
        attempt = Attempt(run_id=RunId("run"), task_id=TaskId("run/0/x/0"), number=1, worker=WorkerId("w"))
        return stage.run(Work(task=task, record=self.record, attempt=attempt, results=[], child=self.child))[0]

    def select(self, index: int) -> Selected:
        """The training set of a trigger, as the supervisor asks for it; it keeps what is told of the classes."""
        key, before = TRIGGERS[index], TRIGGERS[max(index - 1, 0) : index]
        previous = tuple(Watermarks(key=one, labelled_key=one) for one in before)
        of = {"first_key": 0, "previous": previous, "trigger_timestamp_us": 0}
        known = {"labelled_key": key, "first_labelled_key": 499, "classes": self.known}
        task = SelectTask(**OF, trigger_id=TriggerId(index), trigger_key=key, **of, **known)
        report: Selected = self.do(select, task)
        if report.classes is not None:
            names = self.known.names if self.known is not None else ()
            self.known = ClassNames(names=(*names, *report.classes.names), until=key)
        return report

    def train(self, index: int, training_set: ArtifactRef) -> None:
        """The model of a trigger, which goes on from the one before."""
        previous = self.models[-1].object if self.models else None
        of = {"member": 0, "training_set": training_set, "trigger_key": TRIGGERS[index], "previous_model": previous}
        report: Trained = self.do(train, TrainTask(**OF, trigger_id=TriggerId(index), **of))
        self.models.append(ModelRef(trigger_id=TriggerId(index), object=report.member))

    def evaluate(self, first_key: int, last_key: int, models: Sequence[ModelRef]) -> tuple[MetricValue, ...]:
        """Scores on the rows of a window."""
        of = {"window": "next", "slice": "", "after_us": None, "event_time_us": None}
        stretch = Stretch(first_key=first_key, last_key=last_key, **of)
        report: Evaluated = self.do(
            evaluate, EvaluateTask(**OF, trigger_id=TriggerId(0), models=tuple(models), stretches=(stretch,))
        )
        return report.scores

    def baseline(self, first_key: int, last_key: int, known: ClassNames | None) -> dict[str, tuple[MetricValue, ...]]:
        """Those of the baselines."""
        task = BaselineTask(
            **OF,
            trigger_id=TriggerId(0),
            first_key=first_key,
            last_key=last_key,
            history=self.history,
            unknown_key=first_key,
            first_labelled_key=499,
            classes=known,
        )
        report: Baselined = self.do(baseline, task)
        self.history = report.history
        return report.scores

    def everything(self) -> tuple[list[Any], list[Any]]:
        """Weights of all models; and all scores, also of the first model far behind its rows, and of slices."""
        scores: list[Any] = []
        for index, key in enumerate(TRIGGERS):
            self.train(index, self.select(index).training_set)
            scores.append(self.evaluate(key + 1, key + 500, (self.models[0], self.models[-1])))
            scores.append(self.baseline(key + 1, key + 500, self.known if index else None))
        scores += [self.evaluate(first, first + 399, self.models) for first in (1_600, 0, 800, 1_200)]
        bodies = [self.store(model.object) for model in self.models]
        return [{name: one.tolist() for name, one in unpack(body).weights.items()} for body in bodies], scores

    def store(self, ref: ArtifactRef) -> bytes:
        """An object of the run."""
        return (self.small.run_dir / ref.name).read_bytes()


def desk(folder: Path, labels: Any, *, fresh: bool = False, num_classes: int = 4, **dataset: Any) -> Desk:
    """A run over the rows with these labels."""
    folder.mkdir(exist_ok=True)
    small = Workplace.small(folder)
    for number in range(2):
        part = slice(1_000 * number, 1_000 * (number + 1))
        rows = table(ROWS).slice(part.start, 1_000).drop_columns("label").append_column("label", labels[part])
        pq.write_table(rows, folder / "data" / f"part-{number}.parquet")
    small.pipeline["model"]["config"] = {"num_classes": num_classes} if num_classes else {}
    small.pipeline["evaluation"]["metrics"] = ["accuracy", "log_loss", "f1", "auroc"]
    small.pipeline["data"]["split"] = {"test": 0.2}
    small.pipeline["evaluation"]["on"][1]["split"] = None
    small.config["storage"]["datasets"]["rows"] |= dataset
    return Desk(small, fresh)


def in_words(type_: pa.DataType | None = None) -> pa.Array:
    """The labels by name."""
    return pa.array([NAMES[number] for number in numbers()], type_)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[Any]]:
    """What comes of the labels as numbers."""
    return desk(tmp_path_factory.mktemp("by-hand") / "a", pa.array(numbers())).everything()


def as_json(scores: Any) -> bytes:
    """To the last digit."""
    return msgspec.json.encode(scores)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("type_", [pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_weights_and_scores_are_those_of_numbers(
    tmp_path: Path, by_hand: tuple[list[Any], list[Any]], type_: pa.DataType, fresh: bool
) -> None:
    """Of every model on every window, classes that come later included, whichever process has met which rows."""
    weights, scores = desk(tmp_path / "b", in_words(type_), fresh=fresh).everything()
    assert weights == by_hand[0]
    assert as_json(scores) == as_json(by_hand[1])


def test_listed_classes_are_numbered_as_listed(tmp_path: Path, by_hand: tuple[list[Any], list[Any]]) -> None:
    """From the first model on, which has not met them all."""
    named = desk(tmp_path / "b", in_words(), classes=list(NAMES))
    weights, scores = named.everything()
    assert (weights, as_json(scores)) == (by_hand[0], as_json(by_hand[1]))
    assert unpack(named.store(named.models[0].object)).header.classes == ClassNames(names=NAMES, until=None)  # type: ignore[union-attr]


def test_rows_without_a_label_have_none(tmp_path: Path) -> None:
    """They are neither a class nor counted, as among numbers."""
    there = np.arange(ROWS) % 13 > 0
    words = pa.array([NAMES[number] if is_there else None for number, is_there in zip(numbers(), there, strict=True)])
    digits = pa.array(numbers(), mask=~there)
    found = [
        desk(tmp_path / name, labels, nulls={"labels": "drop"}).everything()
        for name, labels in (("a", words), ("b", digits))
    ]
    assert found[0][0] == found[1][0]
    assert as_json(found[0][1]) == as_json(found[1][1])


def test_a_selection_says_which_classes_are_new(tmp_path: Path) -> None:
    """The first all that its rows show, whatever their split; each later one those since. The set knows all of them."""
    work = desk(tmp_path / "b", in_words())
    reports = [work.select(index) for index in range(3)]
    told = [report.classes for report in reports]
    assert told == [NewClasses(before=n, names=NAMES[n:m]) for n, m in ((0, 2), (2, 3), (3, 4))]
    origins = [TrainingSetFile(work.small.run_dir / report.training_set.name).origin for report in reports]
    assert [one.classes for one in origins] == [
        ClassNames(names=NAMES[:m], until=key) for m, key in zip((2, 3, 4), TRIGGERS, strict=True)
    ]


def test_a_set_of_numbers_is_as_it_always_was(tmp_path: Path) -> None:
    """Nothing is said of names where there are none."""
    work = desk(tmp_path / "b", pa.array(numbers()))
    report = work.select(0)
    metadata = pq.read_schema(work.small.run_dir / report.training_set.name).metadata[b"modyn"]
    assert report.classes is None
    assert metadata == (
        b'{"watermark_key":499,"watermark_timestamp_us":0,"rows_read":500,"seed":0,"strategy":"new_data"}'
    )


def test_a_model_without_num_classes_has_room_for_what_comes(tmp_path: Path) -> None:
    """Baselines begin with the classes that there are, as among numbers."""
    found = [
        desk(tmp_path / name, labels, num_classes=0).baseline(500, 999, None)
        for name, labels in (("a", in_words()), ("b", pa.array(numbers())))
    ]
    assert as_json(found[0]) == as_json(found[1])


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_a_class_too_many_is_a_bad_row(tmp_path: Path, on_failure: str) -> None:
    """It fails its training and has no score, and the sentence says why; baselines go on."""
    work = desk(tmp_path / "b", in_words(), num_classes=3)
    if on_failure == "continue":
        work.go_on_after_failures()
    for index in range(2):
        work.train(index, work.select(index).training_set)
    last = work.select(2)
    assert last.classes == NewClasses(before=3, names=())
    told = "is 'zebra ', but the model knows the classes 'a man', 'the moon', 'Ärger'. Set num_classes to 4 or more"
    with pytest.raises(RowError, match=told):
        work.train(2, last.training_set)
    if on_failure == "stop":
        with pytest.raises(RowError, match=told):
            work.evaluate(1_000, 1_499, work.models)
        return
    scores = work.evaluate(1_000, 1_499, work.models)
    assert {(score.value, told in (score.error or "")) for score in scores} == {(None, True)}
    baselines = [work.baseline(*window, work.known) for window in ((500, 999), (1_000, 1_499), (1_500, 1_999))]
    assert all(score.value is not None for one in baselines for of in one.values() for score in of)


def test_a_rival_is_scored_by_the_names_of_its_classes(tmp_path: Path) -> None:
    """Another run has numbered them otherwise; a class that it had not met is one that it gets wrong."""
    other = desk(tmp_path / "other", in_words(), classes=list(NAMES[::-1]))
    other.train(0, other.select(0).training_set)
    (theirs, *_) = other.evaluate(1_500, 1_999, other.models)
    early = desk(tmp_path / "early", in_words())
    early.train(0, early.select(0).training_set)
    (two_classes, *_) = early.evaluate(1_500, 1_999, early.models)
    for name, rival, expected in (("x", other, theirs), ("y", early, two_classes)):
        target = Target(name="t", kind="directory", uri=str(tmp_path / "targets" / name), options={})
        of = {"run": RunId("another"), "trigger": TriggerId(0), "attempt": "1-a", "pipeline": "p", "model": "m"}
        DirectoryTarget(target.uri).switch(Candidate(**of, body=rival.store(rival.models[0].object)), None, "")
        work = desk(tmp_path / f"own-{name}", in_words())
        work.record = msgspec.structs.replace(work.record, targets=(target,))
        work.train(0, work.select(0).training_set)
        of_gate = {"window": "recent", "slice": "", "after_us": None, "event_time_us": None}
        stretch = Stretch(first_key=1_500, last_key=1_999, **of_gate)
        task = EvaluateTask(**OF, trigger_id=TriggerId(0), models=tuple(work.models), stretches=(stretch,), gate=True)
        (told,) = work.do(evaluate, task).rivals
        assert (told.scores[0].value, told.scores[0].error) == (expected.value, None)


def test_numbers_behind_texts_are_bad_rows(tmp_path: Path) -> None:
    """A file that writes labels in another way fails what reads its rows, and nothing before them."""
    work = desk(tmp_path / "b", in_words())
    part = work.small.folder / "data" / "part-2.parquet"
    pq.write_table(table(500, ROWS), part)
    work.go_on_after_failures()
    work.train(0, work.select(0).training_set)
    assert all(score.value is not None for score in work.evaluate(500, 1_999, work.models))
    (first, *_) = work.evaluate(1_900, 2_100, work.models)
    told = "The label column 'label' is int64 from key 2000 on, where the classes have names. Write texts there, too."
    assert (first.value, first.error) == (None, told)
    assert work.baseline(500, 2_100, None)["majority"][0].error == told
    assert work.history is not None
    assert work.history["key"] == 2_101, "rows that cannot be read are not read again at each window"


@pytest.mark.parametrize("label", [-1, 4])
def test_models_and_baselines_are_undefined_in_the_window_with_a_bad_row_alone(tmp_path: Path, label: int) -> None:
    """So what stands side by side is of the same rows; the next window is as if the row were not there."""
    labels = numbers()
    labels[600] = label
    work, other = desk(tmp_path / "bad", pa.array(labels)), desk(tmp_path / "good", pa.array(numbers()))
    work.go_on_after_failures()
    work.train(0, work.select(0).training_set)
    for window, is_defined in (((500, 999), False), ((1_000, 1_499), True)):
        scores = [*work.evaluate(*window, work.models), *sum(work.baseline(*window, None).values(), ())]
        assert {score.value is not None for score in scores} == {is_defined}
        assert all(is_defined or f"The label at key 600 is {label}" in (score.error or "") for score in scores)
        other.baseline(*window, None)
    assert work.history is not None
    assert other.history is not None
    lost = [one - two for one, two in zip(other.history["counts"], work.history["counts"], strict=True)]
    assert (sum(lost), work.history["dropped"], work.history["key"]) == (1, 1, 1_500)
