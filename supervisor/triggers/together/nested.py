"""A `trigger:` group within another one's option, such as a policy that votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config.schema.trigger import PRICE, TriggerBlock
from shared.plugins import GUARDS, TRIGGERS

_WITHIN = ("warm_up", "cool_down")  # the others are about what is trained, of which this one alone does not decide


class NestedBlock(TriggerBlock):
    """As any, but for what stands in the outermost group alone: most guards, and a price that no policy weighs."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        outside = [key for key in value if key in GUARDS and key not in _WITHIN] if isinstance(value, dict) else []
        if outside:
            raise ValidationError({key: ["is about each trigger; write it in the outermost group."] for key in outside})
        return super()._deserialize(value, attr, data, **kwargs)

    def _on_price(self, name: str, *, priced: bool) -> str | None:
        if priced and not TRIGGERS[name].weighs_costs:
            return f"is none that {name} weighs; write it in the outermost group."
        return super()._on_price(name, priced=priced)

    def _beside(self, name: str) -> tuple[str, ...]:
        return (PRICE, *_WITHIN) if TRIGGERS[name].weighs_costs else _WITHIN
