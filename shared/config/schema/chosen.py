"""What is chosen by its name from a table of plug-ins, with the options that its own schema knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, missing

from shared.config import fields as f
from shared.errors import ConfigurationError
from shared.plugins import Plugins


class Chosen(f.Sentence):
    """`{key: NAME, …}`: options stand beside the name, or, where the group has one, in `config:`."""

    kind = "group"

    def __init__(self, plugins: Plugins[Any], meaning: str, *, key: str, example: str, **options: Any) -> None:
        self.later: tuple[str, ...] = options.pop("later", ())
        self.in_config: bool = options.pop("in_config", False)
        super().__init__(meaning, **options)
        self.plugins, self.key, self.example = plugins, key, example

    def schema(self, name: str) -> type[f.Group]:
        """That of the options of one of them. Raises ConfigurationError if it cannot be used."""
        found: type[f.Group] = self.plugins[name].Schema
        return found

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            example = f"{{{self.key}: {value}}}" if value in list(self.plugins) else self.example
            raise ValidationError(f"{f.quoted(value)} is not a group; write {example}.")
        name, given = self._name(value), self._given(value)
        try:
            schema = self.schema(name)()
        except ConfigurationError as error:
            raise ValidationError({self.key: [str(error)]}) from None
        return {"name": name, "options": self._options(name, schema, given)}

    def _options(self, name: str, schema: f.Group, given: dict[str, Any]) -> Any:
        """What the schema makes of them."""
        if given and not f.keys_of(schema) and not schema.beside:
            raise ValidationError({key: [f"{name} has no options; remove it."] for key in given})
        return schema.load(given)

    def _name(self, group: Mapping[str, Any]) -> str:
        """The word that decides which other keys the group has; a mistake is told at this key."""
        choice = f.Choice("", *self.plugins, later=self.later, required=True)
        try:
            return str(choice.deserialize(group.get(self.key, missing)))
        except ValidationError as error:
            raise ValidationError({self.key: error.messages}) from None

    def _given(self, group: Mapping[str, Any]) -> dict[str, Any]:
        beside = {key: one for key, one in group.items() if key != self.key}
        if not self.in_config:
            return beside
        config: dict[str, Any] = f.Arguments("").deserialize(beside.pop("config", {})) or {}
        both = sorted(set(beside) & set(config))
        if both:
            raise ValidationError({both[0]: ["stands both beside name and in config; keep one."]})
        return {**beside, **config}
