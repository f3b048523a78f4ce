"""What holds other values: groups of keys, lists, and arguments by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError

from shared.config.fields.numbers import MOST
from shared.config.fields.sentence import Sentence, nearest, quoted


class Group(Schema):
    """A group of keys; unknown ones are errors that suggest the nearest known one."""

    class Meta:
        """Unknown keys are refused; `handle_error` adds the hint."""

        unknown = RAISE

    beside: tuple[str, ...] = ()  # keys that may stand beside these, and are somebody else's
    elsewhere: ClassVar[Mapping[str, str]] = {}  # keys that people look for here, and what to write instead
    example: ClassVar[str] = ""  # what to write in the place of what is no group, where there is a short one
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
            instead = schema.elsewhere.get(str(key)) or nearest(str(key), [*keys_of(schema), *schema.beside])
            messages[key] = [f"is not a key here; {instead}"]


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
    elif isinstance(value, int) and abs(value) > MOST:
        raise ValidationError(f"{quoted(value)} is too large; write it as a float, such as 1e30.")


class Sub(Sentence):
    """A group below a key."""

    kind = "group"

    def __init__(self, schema: type[Group], meaning: str, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.schema = schema

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{quoted(value)} is not a group of keys; write {self._written()}.")
        return self.schema().load(value)

    def _written(self) -> str:
        """What to write instead of what is no group."""
        if self.schema.example:
            return self.schema.example
        needed = any(one.required for one in self.schema().fields.values())
        return "`key: value` lines below it" + ("" if needed else ", or `{}` for its defaults")


class Sequence(Sentence):
    """A list whose items are all of one field."""

    def __init__(self, item: Sentence, meaning: str, *, may_be_empty: bool = False, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.item, self.may_be_empty = item, may_be_empty
        self.kind = f"list of {getattr(item, 'kind', 'values')}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list) or (not value and not self.may_be_empty):
            few = f"[{value}]" if isinstance(value, str) and value else "[a, b]"
            told = f"; write {few}, or lines that begin with `-`" if not isinstance(value, list) else ""
            raise ValidationError(f"{quoted(value)} is not a list with at least one entry{told}.")
        errors, items = {}, []
        for number, one in enumerate(value):
            try:
                items.append(self.item.deserialize(one))
            except ValidationError as error:
                errors[number] = error.messages
        if errors:
            raise ValidationError(errors)
        return items
