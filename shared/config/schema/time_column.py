"""`timestamp:` and its like: a column of times, and how they are written; its name, or a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.time_format import names_zone, parts_of
from shared.zones import zone

UNITS = ("s", "ms", "us", "ns")


class Format(f.Text):
    """How texts are written."""

    kind = "strptime's format"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts_of(text)
        except ValueError as error:
            raise ValidationError(f"{f.quoted(text)} cannot be used: {error}.") from None
        return text


class Zone(f.Text):
    """A time zone."""

    kind = "name of a time zone"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            zone(str(value))
        except ValueError as error:
            raise ValidationError(f"{f.quoted(value)} {error}") from None
        return value


class TimeColumnGroup(f.Group):
    """A column of times."""

    column = f.Text("the column", required=True)
    unit = f.Choice("of times that are numbers since 1970 UTC", *UNITS, load_default=None)
    format = Format(
        'of times that are texts, or digits such as 20240131, as in "%d/%m/%Y %H:%M"; else they are ISO 8601',
        load_default=None,
    )
    zone = Zone("of times that name none, such as Europe/Zurich; else UTC", load_default=None)

    @f.validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        for key, sentence in contradictions(data):
            raise ValidationError({key: [sentence]})


class TimeColumn(f.Sentence):
    """The name of a column, or a group; it becomes {column, unit, format, zone}."""

    kind = "column, or group"
    group = TimeColumnGroup

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return self.group().load(value)
        if not isinstance(value, str) or not value.strip():
            raise ValidationError(
                f"{f.quoted(value)} is neither a column nor a group such as {{column: …, format: …}}."
            )
        return named(value)


def named(column: str) -> dict[str, Any]:
    """A column of which only the name is said."""
    return {"column": column, "unit": None, "format": None, "zone": None}


def contradictions(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, sentence) for each key of a column of times that means nothing beside another one."""
    found, unit, written = [], said["unit"], said["format"]
    if unit is not None and written is not None:
        found.append(("unit", "is of numbers, and stands beside format, which is of texts; remove one."))
    if unit is not None and said["zone"] is not None:
        found.append(("zone", "is of local times, and numbers with a unit count since 1970 UTC; remove one."))
    if written is not None and said["zone"] is not None and names_zone(written):
        found.append(("zone", f"stands beside {f.quoted(written)}, by which each time names its own; remove one."))
    return found
