"""`storage.datasets`: what a dataset may say of itself, and what means nothing beside what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.labels import Labels, refuse_beside_labels, refuse_name_of_labels
from shared.config.schema.text_files import Delimiter, Encoding, refuse_where_not_text
from shared.config.schema.time_column import UNITS, TimeColumn, contradictions, named


class Shape(f.Sentence):
    """Channels, height, width."""

    kind = "[channels, height, width]"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list) or len(value) != 3 or not all(type(n) is int and n > 0 for n in value):
            raise ValidationError(f"{f.quoted(value)} is not [channels, height, width].")
        return tuple(value)


class Image(f.Group):
    """`image:`."""

    column = f.Text("the column of uint8 pixels", required=True)
    shape = Shape("of one image", required=True)


class Nulls(f.Group):
    """`nulls:`."""

    features = f.Choice(
        "NaN is one. impute: a number becomes the mean of the training set that fitted the encoder, a text all zero",
        "impute",
        "refuse",
        load_default="impute",
    )
    labels = f.Choice("drop: such rows are neither selected nor scored", "refuse", "drop", load_default="refuse")
    indicator = f.Truth("a 0/1 feature for each column that had nulls where the encoder was fitted", load_default=False)

    @f.validates_schema
    def _indicates_something(self, data: dict[str, Any], **_: Any) -> None:
        if data["indicator"] and data["features"] == "refuse":
            raise ValidationError({"indicator": ["stands beside features: refuse, which lets no null in; remove one."]})


class ClassName(f.Sentence):
    """What a class is called."""

    kind = "text"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f"{f.quoted(value)} is not a text; a class that is called so stands in quotes.")
        return value


class Dataset(f.Group):
    """An entry of `storage.datasets`."""

    elsewhere = {
        key: f"it stands below timestamp, as in `timestamp: {{column: date, {key}: {such}}}`."
        for key, such in (("format", '"%d/%m/%Y %H:%M"'), ("zone", "Europe/Zurich"))
    }
    kind = f.Choice("how it is stored", "table", later=("files", "sql"), load_default="table")
    uri = f.Text(
        "Parquet, CSV or JSON lines: a file, a folder with all below it, a glob or an fsspec URI", required=True
    )
    delimiter = Delimiter("between the cells of CSV; else as each file's first line shows", load_default=None)
    encoding = Encoding("of CSV and JSON lines", load_default="utf-8")
    timestamp = TimeColumn(
        "the column of event times, or a group that says how they are written", load_default=lambda: named("timestamp")
    )
    unit = f.Choice("of timestamps that are numbers; it may stand in that group, too", *UNITS, load_default=None)
    future_skew_s = f.Duration(
        "rows dated later than this after their file was found do not advance event time",
        load_default=86_400.0,
        data_key="future_skew",
    )
    label = f.Text("the column to be learned", load_default="label")
    labels = f.Sub(Labels, "labels that come later, in a table of their own; instead of label", load_default=None)
    classes = f.Sequence(
        ClassName(""),
        "what the labels 0, 1, 2… are called, and where labels are texts all of them; else those of the first "
        "trigger's rows, sorted, and later ones behind them",
        load_default=None,
    )
    features = f.Sequence(
        f.Text(""),
        "columns a table model sees; else all others. [] stands beside time_features alone",
        may_be_empty=True,
        load_default=None,
    )
    time_features = f.Sequence(
        f.Choice("", "hour", "weekday", "month"),
        "what a table model sees of each row's timestamp, as sine and cosine; in the timestamp's zone, else UTC",
        load_default=None,
    )
    image = f.Sub(Image, "one column of images", load_default=None)
    text = f.Text("one column of text", load_default=None)
    nulls = f.Sub(Nulls, "what is done with nulls", load_default=lambda: Nulls().load({}))

    @f.validates_schema
    def _indicator_in_a_table(self, data: dict[str, Any], **_: Any) -> None:
        of = "image" if data["image"] else "text" if data["text"] else None
        if data["nulls"]["indicator"] and of is not None:
            raise ValidationError({"nulls": {"indicator": [f"is for tables; a model of `{of}` has no place for it."]}})

    @f.validates_schema
    def _time_features(self, data: dict[str, Any], **_: Any) -> None:
        chosen, of = data["time_features"] or [], "image" if data["image"] else "text" if data["text"] else None
        if chosen and of is not None:
            raise ValidationError({"time_features": [f"is for tables; a model of `{of}` has no place for it."]})
        if data["features"] == [] and not chosen:
            raise ValidationError({"features": ["[] leaves nothing to learn from; name columns, or time_features."]})
        for number, name in enumerate(chosen):
            if name in chosen[:number]:
                raise ValidationError({"time_features": {number: [f"{name} stands here twice; keep one."]}})

    @f.validates_schema
    def _text_files(self, data: dict[str, Any], **_: Any) -> None:
        refuse_where_not_text(data)

    @f.validates_schema
    def _one_way_of_times(self, data: dict[str, Any], **_: Any) -> None:
        unit, said = data["unit"], data["timestamp"]
        if unit is not None and said["unit"] not in (unit, None):
            raise ValidationError({"unit": [f"is {unit}, but timestamp.unit is {said['unit']}; keep one."]})
        for key, sentence in contradictions({**said, "unit": unit}) if unit is not None else ():
            raise ValidationError({"unit": [sentence]} if key == "unit" else {"timestamp": {key: [sentence]}})

    @f.validates_schema
    def _one_input(self, data: dict[str, Any], **_: Any) -> None:
        given = [name for name in ("features", "image", "text") if data[name] is not None]
        if len(given) > 1:
            raise ValidationError(
                {given[1]: [f"stands beside {given[0]}; a dataset has one of features, image, text."]}
            )

    @f.validates_schema
    def _classes_apart(self, data: dict[str, Any], **_: Any) -> None:
        names = data["classes"] or []
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValidationError({"classes": {number: [f"{f.quoted(name)} stands here twice; keep one."]}})

    @f.validates_schema
    def _label_apart(self, data: dict[str, Any], **_: Any) -> None:
        features = data["features"] or []
        label = None if data["labels"] else data["label"]
        image = data["image"]["column"] if data["image"] else None
        if label == data["timestamp"]["column"]:
            raise ValidationError({"label": [f"{label} is the timestamp; name the column to be learned."]})
        for key, names in (("features", features), ("text", [data["text"]]), ("image", [image])):
            if label is not None and label in names:
                raise ValidationError({key: [f"{label} is the label; a model must not see it."]})
        for number, name in enumerate(features):
            if name in features[:number]:
                raise ValidationError({"features": {number: [f"{name} stands here twice; keep one."]}})

    @f.validates_schema(pass_original=True)
    def _beside_labels(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        if data["labels"] is not None:
            refuse_beside_labels(data, original)


class Datasets(f.Sentence):
    """Datasets by name."""

    kind = "names and groups"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict) or not value:
            raise ValidationError(f"{f.quoted(value)} names no dataset; write `name: {{uri: …}}` below it.")
        errors: dict[Any, Any] = dict(refuse_name_of_labels(value))
        loaded = {}
        for name, given in value.items():
            try:
                f.Name("").deserialize(name)  # of its manifest
                loaded[name] = f.Sub(Dataset, "").deserialize(given)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return loaded
