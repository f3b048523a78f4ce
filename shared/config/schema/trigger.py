"""`trigger:` a policy with its own options, and the guards around it; also where another's option names a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.chosen import Chosen
from shared.errors import ConfigurationError
from shared.plugins import GUARDS, TRIGGERS


class TriggerBlock(Chosen):
    """`{policy: NAME, …}`: the policy's options, and keys that any policy may have beside it.

    Loads `{"name", "options", "guards"}`, which `supervisor.triggers.build` makes a policy of.
    """

    def __init__(self, meaning: str, **options: Any) -> None:
        example = "{policy: data_amount, every: 5000}"
        super().__init__(TRIGGERS, meaning, key="policy", example=example, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return super()._deserialize(value, attr, data, **kwargs)
        errors: dict[Any, Any] = {}
        guards: dict[str, Any] = {}
        for name in GUARDS:
            if name in value:
                try:
                    guards[name] = option_of(name).deserialize(value[name])
                except ValidationError as error:
                    errors[name] = error.messages
        own = {key: one for key, one in value.items() if key not in GUARDS}
        try:
            chosen = super()._deserialize(own, attr, data, **kwargs)
        except ValidationError as error:
            told = error.messages if isinstance(error.messages, dict) else {}
            raise ValidationError({**told, **errors}) from None
        told = {name: GUARDS[name].objection(chosen) for name in guards}
        errors |= {name: [objection] for name, objection in told.items() if objection is not None}
        if errors:
            raise ValidationError(errors)
        return {**chosen, "guards": guards}

    def _options(self, name: str, schema: f.Group, given: dict[str, Any]) -> Any:
        schema.beside = self._beside()
        return super()._options(name, schema, given)

    def _beside(self) -> tuple[str, ...]:
        """The guards that may stand here, which a mistyped key may mean."""
        return tuple(GUARDS)


def objections_of(block: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key of the block, sentence) for what the rest of pipeline.yaml does not allow of its policy and its guards.

    `block`: as `TriggerBlock` loads it; `pipeline`: likewise, without groups that are wrong by themselves.
    """
    yield from TRIGGERS[block["name"]].objections(block["options"], pipeline)
    for name, option in block["guards"].items():
        for key, sentence in GUARDS[name].objections(option, pipeline):
            yield f"{name}.{key}", sentence


def option_of(name: str) -> f.Sentence:
    """The field of a guard's key. Raises ValidationError if the guard cannot be used."""
    try:
        option: f.Sentence = GUARDS[name].option
    except ConfigurationError as error:
        raise ValidationError([str(error)]) from None
    return option
