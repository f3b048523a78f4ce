"""`trigger:` a policy with its options, a price, and guards around it; also where another's option names a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema import price
from shared.config.schema.chosen import Chosen
from shared.errors import ConfigurationError
from shared.plugins import GUARDS, TRIGGERS

PRICE = "price"  # its key
_PRICE = f.Sub(price.Price, "what a training costs, and what an error costs; summary.json has what the run came to")


class TriggerBlock(Chosen):
    """`{policy: NAME, …}`: the policy's options, and keys that any policy may have beside it.

    Loads `{"name", "options", "guards", "price"}`, which `supervisor.triggers.build` makes a policy of.
    """

    def __init__(self, meaning: str, **options: Any) -> None:
        example = "{policy: data_amount, every: 5000}"
        super().__init__(TRIGGERS, meaning, key="policy", example=example, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return super()._deserialize(value, attr, data, **kwargs)
        errors: dict[Any, Any] = {}
        beside: dict[str, Any] = {}
        for name in (PRICE, *GUARDS):
            if name in value:
                try:
                    beside[name] = option_of(name).deserialize(value[name])
                except ValidationError as error:
                    errors[name] = error.messages
        own = {key: one for key, one in value.items() if key != PRICE and key not in GUARDS}
        try:
            chosen = super()._deserialize(own, attr, data, **kwargs)
        except ValidationError as error:
            told = error.messages if isinstance(error.messages, dict) else {}
            raise ValidationError({**told, **errors}) from None
        guards = {name: beside[name] for name in GUARDS if beside.get(name) is not None}  # null: none is wanted
        chosen["price"] = beside.get(PRICE)
        if objection := self._on_price(chosen["name"], priced=PRICE in value):
            errors[PRICE] = [objection]
        if PRICE not in errors:  # guards may look at the policy, which may need one
            told = {name: GUARDS[name].objection(chosen) for name in guards}
            errors |= {name: [objection] for name, objection in told.items() if objection is not None}
        if errors:
            raise ValidationError(errors)
        return {**chosen, "guards": guards}

    def _on_price(self, name: str, *, priced: bool) -> str | None:
        """Why a group with this policy must have a price, or may have none; None: it is as it must be."""
        if priced or not TRIGGERS[name].weighs_costs:
            return None
        return f"is missing, and {name} weighs what trainings and errors cost; write such as {price.EXAMPLE}."

    def _options(self, name: str, schema: f.Group, given: dict[str, Any]) -> Any:
        schema.beside = self._beside(name)
        return super()._options(name, schema, given)

    def _beside(self, name: str) -> tuple[str, ...]:
        """What may stand beside this policy's options, which a mistyped key may mean."""
        return (PRICE, *GUARDS)


def objections_of(block: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key of the block, sentence) for what the rest of pipeline.yaml does not allow of its policy and its guards.

    `block`: as `TriggerBlock` loads it; `pipeline`: likewise, without groups that are wrong by themselves.
    """
    kind = TRIGGERS[block["name"]]
    options = {**block["options"], PRICE: block[PRICE]} if kind.weighs_costs else block["options"]
    yield from kind.objections(options, pipeline)
    if block[PRICE] is not None:
        for key, sentence in price.objections(block[PRICE], pipeline):
            yield f"{PRICE}.{key}", sentence
    for name, option in block["guards"].items():
        for key, sentence in GUARDS[name].objections(option, pipeline):
            yield f"{name}.{key}", sentence


def option_of(name: str) -> f.Sentence:
    """The field of a guard's key, or of the price. Raises ValidationError if the guard cannot be used."""
    if name == PRICE:
        return _PRICE
    try:
        option: f.Sentence = GUARDS[name].option
    except ConfigurationError as error:
        raise ValidationError([str(error)]) from None
    return option
