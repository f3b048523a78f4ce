"""Labels that come later: a table of their own, or a delay; what stands beside them is honoured or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from shared.config.load import Configuration, load_configuration
from shared.config.pipeline import Pipeline
from shared.config.system import Dataset, Labels
from shared.errors import ConfigurationError

LABELS = {"uri": "labels/*.csv", "key": ["id"]}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Writes both files with these values of `data` and of the dataset, and loads them."""

    def of(dataset: dict[str, Any], data: dict[str, Any] | None = None, more: dict[str, Any] | None = None) -> Any:
        pipeline = {
            "pipeline": {"name": "late"},
            "model": {"id": "mlp"},
            "data": {"dataset": "rows", **(data or {})},
            "trigger": {"policy": "data_amount", "every": 100},
            "initial_mode": "replay",
        }
        config = {"storage": {"datasets": {"rows": {"uri": "rows/*.csv", **dataset}, **(more or {})}}}
        (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(pipeline))
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        return load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)

    return of


def dataset_of(configuration: Configuration) -> Dataset:
    """That of the pipeline."""
    return configuration.system.datasets["rows"]


def problems(load: Any, *arguments: Any) -> tuple[str, ...]:
    """What is wrong, exit 2."""
    with pytest.raises(ConfigurationError) as caught:
        load(*arguments)
    assert caught.value.exit_code == 2
    return tuple(caught.value.problems)


def test_a_table_of_labels(load, tmp_path):
    """All of its values, with an absolute path; the dataset's label is its label, and a row without one is left out."""
    given = {
        **LABELS,
        "label": "fraud",
        "known_at": "closed",
        "patience": "90d",
        "delimiter": ";",
        "encoding": "latin-1",
    }
    found = dataset_of(load({"labels": given, "classes": ["no", "yes"], "nulls": {"indicator": True}}))
    assert found.labels == Labels(
        uri=f"{tmp_path}/labels/*.csv",
        key=("id",),
        label="fraud",
        known_at="closed",
        patience_s=90 * 86_400.0,
        delimiter=";",
        encoding="iso8859-1",
    )
    assert (found.label, found.classes, found.nulls.labels, found.nulls.indicator) == (
        "fraud",
        ("no", "yes"),
        "drop",
        True,
    )


@pytest.mark.parametrize(
    ("known_at", "values", "resolved"),
    [
        ("closed", {}, "closed"),
        ({"column": "closed"}, {}, "closed"),
        ({"column": "closed", "unit": "ms"}, {"unit": "ms"}, {"column": "closed", "unit": "ms"}),
        (
            {"column": "closed", "format": "%d/%m/%Y", "zone": "Europe/Zurich"},
            {"format": "%d/%m/%Y", "zone": "Europe/Zurich"},
            {"column": "closed", "format": "%d/%m/%Y", "zone": "Europe/Zurich"},
        ),
    ],
)
def test_when_labels_are_known_is_written_as_times_are(load, known_at, values, resolved):
    """Its column, or a group as `timestamp` has it; what is resolved says the same."""
    first = load({"labels": {**LABELS, "known_at": known_at}})
    found = dataset_of(first).labels
    assert found is not None
    assert (found.known_at, found.unit, found.format, found.zone) == (
        "closed", values.get("unit"), values.get("format"), values.get("zone"),
    )  # fmt: skip
    written = yaml.safe_load(first.resolved_system_yaml())["storage"]["datasets"]["rows"]["labels"]
    assert written["known_at"] == resolved


def test_what_is_not_said(load):
    """Columns `label` and `known_at`, for ever; without a table the label stands in the row, and is known with it."""
    late = dataset_of(load({"labels": LABELS}))
    assert late.labels is not None
    assert (late.label, late.labels.label, late.labels.known_at, late.labels.patience_s) == (
        "label", "label", "known_at", None,
    )  # fmt: skip
    plain = load({})
    assert (dataset_of(plain).labels, plain.pipeline.data.label_delay_s) == (None, 0.0)


def test_the_columns_of_rows(load):
    """What rows must have, and what is no feature unless somebody lists it."""
    late = dataset_of(load({"labels": {**LABELS, "key": ["id", "day"], "known_at": "closed"}, "timestamp": "t"}))
    assert late.own_columns == ("t", "id", "day")
    assert late.hidden_columns == ("t", "id", "day", "label", "closed")
    plain = dataset_of(load({}))
    assert plain.own_columns == plain.hidden_columns == ("timestamp", "label")


@pytest.mark.parametrize(("delay", "seconds"), [("0s", 0.0), ("7d", 7 * 86_400.0), ("1.5s", 1.5)])
def test_a_delay(load, delay, seconds):
    """In event time; it is written back as it was."""
    found = load({}, {"label_delay": delay})
    assert found.pipeline.data.label_delay_s == seconds
    assert yaml.safe_load(found.resolved_pipeline_yaml())["data"]["label_delay"] == delay


def test_what_a_delay_cannot_be(load):
    """Not a number, and nothing that is no duration."""
    (told,) = problems(load, {}, {"label_delay": 7})
    assert "data.label_delay: 7 is not a duration; write a number and one of s, m, h, d, w, such as 7d." in told


def test_resolved_files_mean_the_same(load, tmp_path):
    """They hold the table of labels, and none of the keys that are refused beside it."""
    first = load({"labels": {**LABELS, "patience": "12h"}, "classes": ["a", "b"]}, {"split": {"test": 0.1, "by": "id"}})
    written = yaml.safe_load(first.resolved_system_yaml())["storage"]["datasets"]["rows"]
    assert written["labels"] == {
        "uri": f"{tmp_path}/labels/*.csv",
        "key": ["id"],
        "label": "label",
        "known_at": "known_at",
        "patience": "12h",
        "encoding": "utf-8",
    }
    assert ("label" in written, written["nulls"]) == (False, {"features": "impute", "indicator": False})
    (tmp_path / "config.yaml").write_text(first.resolved_system_yaml())
    again = load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)
    assert msgspec.structs.replace(again.system, path=first.system.path) == first.system
    assert again.resolved_system_yaml() == first.resolved_system_yaml()


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        ({"label": "late"}, "label: stands beside labels, whose column label is learned; remove it"),
        ({"nulls": {"labels": "drop"}}, "nulls.labels: is of labels that stand in the rows; a null in the table of"),
        ({"nulls": {"labels": "refuse"}}, "nulls.labels: is of labels that stand in the rows"),
        ({"features": ["x", "id"]}, "features: id is a key of labels; a model must not see it."),
        ({"features": ["label"]}, "features: label is called like the label; a model must not see it."),
        ({"features": ["known_at"]}, "features: known_at is known_at of labels; a model must not see it."),
        ({"text": "id"}, "text: id is a key of labels"),
        ({"image": {"column": "label", "shape": [1, 8, 8]}}, "image: label is called like the label"),
        ({"timestamp": "label"}, "labels.label: label is the timestamp of the rows"),
        ({"uri": "labels/*.csv"}, "labels.uri: labels/*.csv is read as rows, too, as uri is labels/*.csv"),
        (
            {"uri": "./labels/"},
            "labels.uri: labels/*.csv is read as rows, too, as uri is ./labels/; labels need a place",
        ),
    ],
)
def test_what_cannot_stand_beside_labels(load, dataset, told):
    """Each is refused at its key."""
    (problem,) = problems(load, {"labels": LABELS, **dataset})
    assert f"storage.datasets.rows.{told}" in problem


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"key": []}, "key: [] is not a list with at least one entry."),
        ({"key": "id"}, "key: 'id' is not a list with at least one entry; write [id], or lines that begin with `-`."),
        ({"key": ["id", "id"]}, "key.1: id stands here twice; keep one."),
        ({"key": ["id", "label"]}, "key.1: label is the label, which a row cannot be found by."),
        ({"label": "known_at"}, "label: known_at is known_at, too; name the column to be learned."),
        ({"known_at": {"column": "t", "zone": "Mars"}}, "known_at.zone: 'Mars' "),
        ({"patience": "soon"}, "patience: 'soon' is not a duration"),
        ({"known": "t"}, "known: is not a key here; did you mean known_at?"),
        ({"uri": "labels.parquet", "delimiter": ";"}, "delimiter: is of text files, and uri names Parquet; remove it."),
        ({"uri": "labels.jsonl", "delimiter": ";"}, "delimiter: is of CSV, and uri names JSON lines; remove it."),
    ],
)
def test_what_labels_cannot_be(load, labels, told):
    """Each mistake is told at its key."""
    (problem,) = problems(load, {"labels": {**LABELS, **labels}})
    assert f"storage.datasets.rows.labels.{told}" in problem


def test_what_labels_need(load):
    """Where they are, and by which columns rows find them."""
    told = problems(load, {"labels": {"patience": "1d"}})
    assert [one.rpartition("labels.")[2] for one in told] == [
        "uri: is missing; add it.",
        "key: is missing; add it.",
    ]


def test_a_delay_beside_a_table(load):
    """Each says when labels are known; 0s says nothing, and may stay."""
    (told,) = problems(load, {"labels": LABELS}, {"label_delay": "7d"})
    assert told.startswith("pipeline.yaml:")
    assert "data.label_delay: can only be 0s, as dataset rows in config.yaml has `labels`" in told
    assert isinstance(load({"labels": LABELS}, {"label_delay": "0s"}).pipeline, Pipeline)


def test_rows_that_stay_together(load):
    """By a key, as it stands in the rows; not by the label, which is known later."""
    assert load({"labels": LABELS}, {"split": {"test": 0.1, "by": "id"}}).pipeline.data.split.by == "id"
    (told,) = problems(load, {"labels": LABELS}, {"split": {"test": 0.1, "by": "label"}})
    assert "data.split.by: label is the label of dataset rows, which is known later than its row" in told


def test_a_dataset_that_is_called_as_the_labels_of_another(load):
    """They would share a manifest."""
    (told,) = problems(load, {"labels": LABELS}, {}, {"rows.labels": {"uri": "other"}})
    assert "storage.datasets.rows.labels: is what the labels of rows are called; name it otherwise." in told
    assert "rows.labels" in load({}, {}, {"rows.labels": {"uri": "other"}}).system.datasets
