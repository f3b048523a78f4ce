"""`labels:` of a dataset: a table of labels that grows beside its rows, and what it means for the keys beside it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.text_files import Delimiter, Encoding, refuse_where_not_text
from shared.config.schema.time_column import TimeColumn, named

_WRITTEN = {"column": "known_at"}  # what a column of times is called among the values of labels
SUFFIX = ".labels"  # behind a dataset's name: what its table of labels is called


class Labels(f.Group):
    """`labels:`."""

    uri = f.Text("Parquet, CSV or JSON lines, as the rows may be: files that come, or text that grows", required=True)
    key = f.Sequence(
        f.Text(""), "columns by whose values rows find their labels; both have them, and no model sees them",
        required=True,
    )  # fmt: skip
    label = f.Text("the column to be learned", load_default="label")
    known_at = TimeColumn(
        "the column of moments from which labels are known, or a group that says how they are written",
        load_default=lambda: named("known_at"),
    )
    patience_s = f.Duration(
        "of event time: a label that is known later than so long after its row counts nowhere; without it all count",
        load_default=None,
        data_key="patience",
    )
    delimiter = Delimiter("between the cells of CSV; else as each file's first line shows", load_default=None)
    encoding = Encoding("of CSV and JSON lines", load_default="utf-8")

    @f.validates_schema
    def _text_files(self, data: dict[str, Any], **_: Any) -> None:
        refuse_where_not_text(data)

    @f.validates_schema
    def _columns_apart(self, data: dict[str, Any], **_: Any) -> None:
        label, known_at, keys = data["label"], data["known_at"]["column"], data["key"]
        if label == known_at:
            raise ValidationError({"label": [f"{label} is known_at, too; name the column to be learned."]})
        for number, name in enumerate(keys):
            if name == label:
                raise ValidationError({"key": {number: [f"{name} is the label, which a row cannot be found by."]}})
            if name in keys[:number]:
                raise ValidationError({"key": {number: [f"{name} stands here twice; keep one."]}})


def refuse_beside_labels(data: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise ValidationError for keys of a dataset that its table of labels makes meaningless, or whose columns a model
    must not see. `data`: the dataset as it was loaded, which has `labels`; `given`: as it was written.
    """
    labels = data["labels"]
    if "label" in given:
        sentence = f"stands beside labels, whose column {labels['label']} is learned; remove it, or write labels.label."
        raise ValidationError({"label": [sentence]})
    if "labels" in (given.get("nulls") or {}):
        sentence = "is of labels that stand in the rows; a null in the table of labels is no label yet. Remove it."
        raise ValidationError({"nulls": {"labels": [sentence]}})
    if _lies_in(labels["uri"], data["uri"]):
        sentence = f"{labels['uri']} is read as rows, too, as uri is {data['uri']}; labels need a place of their own."
        raise ValidationError({"labels": {"uri": [sentence]}})
    if labels["label"] == data["timestamp"]["column"]:
        sentence = f"{labels['label']} is the timestamp of the rows; the label's column needs another name."
        raise ValidationError({"labels": {"label": [sentence]}})
    for path, name in _seen_by_a_model(data):
        what = _hidden(name, labels)
        if what:
            raise ValidationError({path: [f"{name} is {what}; a model must not see it."]})


def _lies_in(labels: str, rows: str) -> bool:
    """Whether files of labels are also those of rows: the same ones, or in a folder that is read with all below."""
    labels, rows = posixpath.normpath(labels), posixpath.normpath(rows)
    return labels == rows or labels.startswith(f"{rows}/")


def _seen_by_a_model(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key, and a column that it makes an input."""
    yield from (("features", name) for name in data["features"] or ())
    yield from (("text", name) for name in [data["text"]] if name is not None)
    yield from (("image", image["column"]) for image in [data["image"]] if image is not None)


def _hidden(name: str, labels: Mapping[str, Any]) -> str:
    """What a column is that a model must not see; empty for another."""
    if name in labels["key"]:
        return "a key of labels"
    if name == labels["label"]:
        return "called like the label"
    return "known_at of labels" if name == labels["known_at"]["column"] else ""


def with_labels(dataset: dict[str, Any]) -> dict[str, Any]:
    """A dataset's values, with those that follow from its table of labels, if it has one.

    A row without a label is then like one whose label is null and dropped: neither selected nor scored.
    """
    labels = dataset["labels"]
    if labels is None:
        return dataset
    known_at = {_WRITTEN.get(key, key): one for key, one in labels["known_at"].items()}
    nulls = {**dataset["nulls"], "labels": "drop"}
    return {**dataset, "label": labels["label"], "labels": {**labels, **known_at}, "nulls": nulls}


def as_given(dataset: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inverse of `with_labels`: without what a file must not say beside a table of labels."""
    labels = dataset.get("labels")
    if labels is None:
        return dataset
    known_at = {key: labels[_WRITTEN.get(key, key)] for key in ("column", "unit", "format", "zone")}
    nulls = {**dataset["nulls"], "labels": None}
    return {**dataset, "label": None, "labels": {**labels, "known_at": known_at}, "nulls": nulls}


def refuse_name_of_labels(names: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of datasets that are what the labels of another are called: sentences."""
    of_labels = {f"{name}{SUFFIX}": name for name, one in names.items() if isinstance(one, dict) and one.get("labels")}
    return {
        name: [f"is what the labels of {of_labels[name]} are called; name it otherwise."]
        for name in names
        if name in of_labels
    }
