"""`strategy:` what is trained on, and the keys that any strategy may have; also where another's option names one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.chosen import Chosen
from shared.config.within import strategies_within
from shared.plugins import STRATEGIES


class Whatever(f.Group):
    """Keys of `strategy:` whatever it is."""

    warm_up = f.Whole(
        "first triggers that are trained on all that is known then, before the strategy chooses",
        least=0,
        load_default=0,
    )
    reset_on_trigger = f.Truth(
        "whether each trigger selects only from rows since the previous one, and a memory begins anew behind it",
        load_default=False,
    )
    balance = f.Choice(
        "as many rows of each label as the rarest has, of those that the strategy selected", "label", load_default=None
    )


class StrategyBlock(Chosen):
    """`{name: NAME, …}`: the strategy's options, and `beside` them keys that are not its own.

    Loads `{"name", "options"}` and, next to these, the values of `beside`.
    """

    def __init__(self, meaning: str, *, beside: type[f.Group] = Whatever, **options: Any) -> None:
        options = {"in_config": True, **options}
        super().__init__(STRATEGIES, meaning, key="name", example="{name: new_data}", **options)
        self.beside = beside

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return super()._deserialize(value, attr, data, **kwargs)
        named = {self.key: value[self.key]} if self.key in value else {}
        given = self._given(value)
        beside = {key: given.pop(key) for key in f.keys_of(self.beside()) if key in given}
        chosen, loaded, errors = {}, {}, dict[Any, Any]()
        try:
            loaded = self.beside().load(beside)
        except ValidationError as error:
            errors |= error.messages if isinstance(error.messages, dict) else {}
        try:
            chosen = super()._deserialize({**named, **given}, attr, data, **kwargs)
        except ValidationError as error:
            errors |= error.messages if isinstance(error.messages, dict) else {}
        errors = errors or self._objections(chosen, loaded)
        if errors:
            raise ValidationError(errors)
        return {**chosen, **loaded}

    def _options(self, name: str, schema: f.Group, given: dict[str, Any]) -> Any:
        schema.beside = tuple(f.keys_of(self.beside()))
        return super()._options(name, schema, given)

    def _objections(self, chosen: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, list[str]]:
        """Key → why it cannot stand beside this strategy."""
        asked = [key for key in _OBJECTIONS if beside.get(key)]
        if not asked:
            return {}
        strategy = STRATEGIES[chosen["name"]](chosen["options"])
        told = {key: _OBJECTIONS[key](chosen, strategy) for key in asked}
        return {key: [sentence] for key, sentence in told.items() if sentence is not None}


def _to_reset(chosen: Mapping[str, Any], strategy: Any) -> str | None:
    """Why a strategy cannot begin anew behind each trigger; None: it can."""
    name = chosen["name"]
    if strategy.earlier_triggers > 1:
        return f"leaves no rows of earlier triggers, from which {name} selects by `tail`; remove one of them."
    if strategy.recalls:
        within = strategies_within(name, chosen["options"])
        *_, recalling = (one for _, one, options in within if STRATEGIES[one](options).recalls)
        return f"leaves nothing of earlier triggers, by which {recalling} selects; remove one of them."
    if strategy.selects_all or strategy.observes:
        return None
    return f"has no meaning, as {name} selects from rows since the previous trigger anyway; remove it."


def _to_balance(chosen: Mapping[str, Any], strategy: Any) -> str | None:
    """Why what a strategy selects cannot be balanced; None: it can."""
    name = chosen["name"]
    remedy = "remove it, or write a pipeline that begins with {name: balanced, by: label}."
    if strategy.rules:
        return f"chooses before the training, in which {name} does; {remedy}"
    if strategy.weighs:
        return f"would undo what the weights of {name} say; {remedy}"
    if strategy.evens_labels:
        return f"has no meaning, as {name} selects as many rows of each label anyway; remove it."
    return None


_OBJECTIONS: Mapping[str, Callable[[Mapping[str, Any], Any], str | None]] = {
    "reset_on_trigger": _to_reset,
    "balance": _to_balance,
}


class NestedStrategy(StrategyBlock):
    """As any, within another one: keys about each trigger stand in the outermost group alone."""

    def __init__(self, meaning: str, *, beside: type[f.Group] = f.Group, without: tuple[str, ...], why: str) -> None:
        """`without`: strategies that cannot stand here; `why`: what to do instead, in a sentence."""
        super().__init__(meaning, beside=beside, in_config=False)
        self._without, self._why = without, why

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            outside = [key for key in value if key in f.keys_of(Whatever())]
            if outside:
                told = "is about the strategy as a whole; write it in the outermost group."
                raise ValidationError({key: [told] for key in outside})
            if value.get(self.key) in self._without:
                raise ValidationError({self.key: [f"{value[self.key]} cannot stand here; {self._why}."]})
        return super()._deserialize(value, attr, data, **kwargs)
