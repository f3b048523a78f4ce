"""Nulls, unknown categories and moved columns are told: by trigger, by column, with the remedy where there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from shared.artifacts import ArtifactRef
from shared.ids import RunId, TriggerId, WorkerId, task_id
from shared.messages.reports import FeatureNotes, NewClasses, Selected, Trained, UnknownCategories
from supervisor.core.notices import ResultCounted
from supervisor.run.listen.run_log import RunLog

RUN = RunId("run")
OBJECT = ArtifactRef(name="m", sha256="0", size_bytes=1)

Lines = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The lines, behind the first, that one more training makes, with their levels."""
    log, trigger = RunLog(RUN), iter(range(99))

    def lines_of(**notes: Any) -> list[tuple[str, str]]:
        caplog.clear()
        who = {"task_id": task_id(RUN, TriggerId(next(trigger)), "train"), "attempt": 1, "worker": WorkerId("w")}
        features = FeatureNotes(**{"rows": 100, **notes})
        report = Trained(**who, member=OBJECT, train_s=1.0, loss=0.5, device="cpu", features=features)
        with caplog.at_level(logging.INFO):
            log.hear(ResultCounted(report=report))
        return [(record.levelname, record.getMessage()) for record in caplog.records[1:]]

    return lines_of


def test_nothing_is_told_of_rows_that_are_as_they_should_be(lines: Lines) -> None:
    """A training is one line."""
    assert lines() == []


def test_nulls_are_told_by_column(lines: Lines) -> None:
    """With the rows that they are of."""
    told = "  trigger 0: nulls filled in, of 2,000 rows: x 1,200, y 1"
    assert lines(rows=2_000, imputed={"x": 1200, "y": 1}) == [("INFO", told)]


def test_rows_without_a_label_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """Where they are left out: when the training set is written."""
    who = {"task_id": task_id(RUN, TriggerId(3), "select"), "attempt": 1, "worker": WorkerId("w")}
    report = Selected(**who, training_set=OBJECT, samples=9, rows_read=10, watermark_key=9, dropped={"label": 1})
    with caplog.at_level(logging.INFO):
        RunLog(RUN).hear(ResultCounted(report=report))
    assert caplog.messages[1:] == ["  trigger 3: rows left out as their label is null: 1 in label"]


@pytest.mark.parametrize(
    ("before", "names", "told"),
    [
        (0, ("no", "yes"), ["  trigger 3: the classes are 'no', 'yes'"]),
        (2, ("so",), ["  trigger 3: new class 'so', number 2"]),
        (2, ("so", "la"), ["  trigger 3: new classes 'so', 'la', numbers 2 to 3"]),
        (2, (), []),
    ],
)
def test_names_of_classes_are_told_once(
    caplog: pytest.LogCaptureFixture, before: int, names: tuple[str, ...], told: list[str]
) -> None:
    """With the numbers that labels become."""
    who = {"task_id": task_id(RUN, TriggerId(3), "select"), "attempt": 1, "worker": WorkerId("w")}
    new = NewClasses(before=before, names=names)
    report = Selected(**who, training_set=OBJECT, samples=9, rows_read=10, watermark_key=9, classes=new)
    with caplog.at_level(logging.INFO):
        RunLog(RUN).hear(ResultCounted(report=report))
    assert caplog.messages[1:] == told


def test_unknown_categories_are_a_warning_where_they_are_many(lines: Lines) -> None:
    """Up to five in a hundred rows are told, more are a warning that says what to do."""
    few = UnknownCategories(rows=5, commonest={"SFO": 5})
    told = "  trigger 0: 5 of 100 rows have a category of origin that the model does not know: 'SFO' 5"
    assert lines(unknown={"origin": few}) == [("INFO", told)]
    ((level, line),) = lines(unknown={"origin": UnknownCategories(rows=6, commonest={"SFO": 4, "OAK": 2})})
    assert level == "WARNING"
    assert (
        "! trigger 1: 6 of 100 rows have a category of origin that the model does not know: 'SFO' 4, 'OAK' 2; " in line
    )
    assert "training.encoder: grow" in line


def test_new_inputs_are_told(lines: Lines) -> None:
    """Where the encoder grows."""
    told = "  trigger 0: new categories of origin are inputs from here on, such as 'OAK', 'SFO'"
    assert lines(grown={"origin": ("OAK", "SFO")}) == [("INFO", told)]


def test_a_column_that_varies_now_is_told(lines: Lines) -> None:
    """It has its scale from here on."""
    assert lines(scaled=("z",)) == [("INFO", "  trigger 0: z was constant so far and varies now; learned from here on")]
    told = "  trigger 1: y, z were constant so far and vary now; learned from here on"
    assert lines(scaled=("y", "z")) == [("INFO", told)]


def test_a_column_that_is_constant_is_told_once_a_run(lines: Lines) -> None:
    """The model learns nothing of it, which need not be said again."""
    told = "  trigger 0: z has one value so far; the model learns nothing of it until it varies"
    assert lines(constant=("z",)) == [("INFO", told)]
    assert lines(constant=("z",)) == []


def test_a_column_that_has_moved_is_told_once_a_run(lines: Lines) -> None:
    """Not with each training that finds it where it has gone."""
    ((level, line),) = lines(moved={"x": -4.25})
    assert (level, "x lies 4.2 deviations below where the encoder was fitted" in line) == ("WARNING", True)
    assert "training.use_previous_model: false" in line
    assert lines(moved={"x": -5.0}) == []
    assert len(lines(moved={"x": -5.0, "y": 3.5})) == 1
