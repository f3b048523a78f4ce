"""marshmallow fields that say in a sentence what is wrong with a value and what would be right."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from shared.config.secrets import hide
from shared.timestamps import format_timestamp, parse_duration_s, parse_timestamp_us
from shared.words import meant

_LONGEST_QUOTE = 80
_MOST = 2**63 - 1  # what messages can carry
_LONGEST_S = 10_000 * 366 * 86_400.0  # longer than what separates any two moments with a year of four digits


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word, else the list of all."""
    names = sorted(known)
    near = meant(word, names)
    return f"did you mean {near}?" if near else f"known: {', '.join(names) or 'none'}."


def quoted(value: Any) -> str:
    """A value as an error shows it: cut short where it is long, never a secret."""
    try:
        text = hide(repr(value))
    except ValueError:  # Python refuses to print numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


class Group(Schema):
    """A group of keys; unknown ones are errors that suggest the nearest known one."""

    class Meta:
        """Unknown keys are collected by `_known_keys`, with a hint."""

        unknown = RAISE

    elsewhere: ClassVar[Mapping[str, str]] = {}  # keys that people look for here, and what to write instead
    error_messages = {"type": "is not a group of keys; write `key: value` lines below it."}

    def handle_error(self, error: ValidationError, data: Any, **kwargs: Any) -> None:
        """Put the hint where marshmallow says only `Unknown field.`."""
        if isinstance(error.messages, dict):
            _explain(error.messages, self)


def keys_of(schema: Schema) -> list[str]:
    """The keys of a group, as a file writes them."""
    return [field.data_key or name for name, field in schema.fields.items()]


def _explain(messages: dict[Any, Any], schema: Group) -> None:
    for key, told in messages.items():
        if told == ["Unknown field."]:
            instead = schema.elsewhere.get(str(key)) or nearest(str(key), keys_of(schema))
            messages[key] = [f"is not a key here; {instead}"]


class Sentence(fields.Field[Any]):
    """The base: null is refused with a sentence, not with marshmallow's words."""

    default_error_messages = {"null": "is empty; give a value or remove the key.", "required": "is missing; add it."}

    def __init__(self, meaning: str, **options: Any) -> None:
        super().__init__(metadata={"meaning": meaning}, **options)


class Text(Sentence):
    """A text."""

    kind = "text"

    def __init__(self, meaning: str, *, may_be_empty: bool = False, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.may_be_empty = may_be_empty

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not (value.strip() or self.may_be_empty):
            raise ValidationError(f"{quoted(value)} is not a text.")
        return value


class Name(Text):
    """A text that can name a file or folder on any system."""

    kind = "name"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", value):
            raise ValidationError(
                f"{quoted(value)} cannot name a folder; use up to 100 letters, digits, `-`, `_` and `.`."
            )
        return value


class Folder(Text):
    """A local folder; `file://` before it says no more."""

    kind = "folder"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        path = str(super()._deserialize(value, attr, data, **kwargs)).removeprefix("file://")
        if "://" in path:
            raise ValidationError(f"{path.split('://')[0]}:// is not available yet; available: a local folder.")
        if not path:
            raise ValidationError(f"{quoted(value)} names no folder; write its path.")
        return path


class Whole(Sentence):
    """A whole number of at least `least` and at most `most`."""

    kind = "whole number"

    def __init__(self, meaning: str, *, least: int = 1, most: int = _MOST, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or value < self.least:
            raise ValidationError(f"{quoted(value)} is not a whole number of at least {self.least}.")
        if value > self.most:
            raise ValidationError(f"{quoted(value)} is too large; at most {self.most} can be used.")
        return value


class Number(Sentence):
    """A finite number in a range."""

    kind = "number"

    def __init__(self, meaning: str, *, least: float = -math.inf, below: float = math.inf, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least, self.below = least, below

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not abs(value) <= sys.float_info.max or not self.least <= value < self.below:
            bounds = "" if self.least == -math.inf else f" of at least {self.least:g}"
            bounds += "" if self.below == math.inf else f" and below {self.below:g}"
            raise ValidationError(f"{quoted(value)} is not a number{bounds}.")
        return float(value)


class PositiveNumber(Number):
    """A finite number above zero."""

    kind = "number > 0"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = super()._deserialize(value, attr, data, **kwargs)
        if number <= 0:
            raise ValidationError(f"{quoted(value)} is not a number above zero.")
        return number


class Truth(Sentence):
    """true or false."""

    kind = "true or false"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError(f"{quoted(value)} is neither true nor false.")
        return value


class Duration(Sentence):
    """A duration above zero, in seconds."""

    kind = "duration"

    def __init__(self, meaning: str, *, least_s: float = 1e-6, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.least_s = least_s

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(
                f"{quoted(value)} is not a duration; write a number and one of s, m, h, d, w, such as 7d."
            )
        try:
            seconds = parse_duration_s(value)
        except ValueError as error:
            raise ValidationError(f"{hide(str(error))}.") from None
        if seconds > _LONGEST_S:
            raise ValidationError(f"{quoted(value)} is too long; at most {_LONGEST_S / 86_400:.0f}d can be used.")
        if seconds < self.least_s:
            raise ValidationError(f"{quoted(value)} is too short; at least {self.least_s:g}s is needed.")
        return seconds


class Moment(Sentence):
    """A moment, in microseconds since the epoch."""

    kind = "ISO 8601 time"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            timestamp_us = parse_timestamp_us(value)
            format_timestamp(timestamp_us)  # near the years 1 and 9999, UTC may have no such moment
        except (TypeError, ValueError, OverflowError):
            raise ValidationError(f"{quoted(value)} is not a time; write one such as 2013-01-01T00:00:00Z.") from None
        return timestamp_us


class Choice(Sentence):
    """One of several words; those of a later version are refused by name, unless they can be chosen already."""

    def __init__(self, meaning: str, *now: str, later: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(meaning, **options)
        self.now, self.later = now, later
        self.kind = " | ".join(now)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value in self.now:
            return value
        if value in self.later:
            raise ValidationError(f"{value} is not available yet; available: {', '.join(self.now)}.")
        raise ValidationError(f"{quoted(value)} is unknown; {nearest(str(value), self.now)}")


class Only(Sentence):
    """A key whose one value so far is its default; anything else is not available yet."""

    def __init__(self, meaning: str, only: Any, **options: Any) -> None:
        super().__init__(meaning, load_default=only, **options)
        self.only = only
        self.kind = f"only {str(only).lower()} so far"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value != self.only or isinstance(value, bool) != isinstance(self.only, bool):
            raise ValidationError(f"{quoted(value)} is not available yet; available: {str(self.only).lower()}.")
        return value


class Arguments(Sentence):
    """Arguments of a constructor, by name."""

    kind = "names and values"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{quoted(value)} is not a group of arguments; write {{name: value}}.")
        _refuse_unsendable(value)
        return value


def _refuse_unsendable(value: Any) -> None:
    """Raise ValidationError, at its key, for what no message to a worker can carry."""
    if isinstance(value, dict | list):
        errors = {}
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            try:
                _refuse_unsendable(one)
            except ValidationError as error:
                errors[key] = error.messages
        if errors:
            raise ValidationError(errors)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValidationError(f"{value} is not a finite number.")
    elif isinstance(value, int) and abs(value) > _MOST:
        raise ValidationError(f"{quoted(value)} is too large; write it as a float, such as 1e30.")


class Sub(Sentence):
    """A group below a key."""

    kind = "group"

    def __init__(self, schema: type[Group], meaning: str, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.schema = schema

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{quoted(value)} is not a group of keys; write `key: value` lines below it.")
        return self.schema().load(value)


class Sequence(Sentence):
    """A list whose items are all of one field."""

    def __init__(self, item: Sentence, meaning: str, *, may_be_empty: bool = False, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.item, self.may_be_empty = item, may_be_empty
        self.kind = f"list of {getattr(item, 'kind', 'values')}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list) or (not value and not self.may_be_empty):
            raise ValidationError(f"{quoted(value)} is not a list with at least one entry.")
        errors, items = {}, []
        for number, one in enumerate(value):
            try:
                items.append(self.item.deserialize(one))
            except ValidationError as error:
                errors[number] = error.messages
        if errors:
            raise ValidationError(errors)
        return items


__all__ = [
    "Arguments", "Choice", "Duration", "Folder", "Group", "Moment", "Name", "Number", "Only", "PositiveNumber",
    "Sentence", "Sequence", "Sub", "Text", "Truth", "Whole", "keys_of", "nearest", "quoted", "validates_schema",
]  # fmt: skip
