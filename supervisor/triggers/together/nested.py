"""A `trigger:` group within another one's option, such as a policy that votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config.schema.trigger import TriggerBlock
from shared.plugins import GUARDS

_WITHIN = ("warm_up", "cool_down")  # the others are about what is trained, of which this one alone does not decide


class NestedBlock(TriggerBlock):
    """As any, but for guards that stand in the outermost group alone."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        outside = [key for key in value if key in GUARDS and key not in _WITHIN] if isinstance(value, dict) else []
        if outside:
            raise ValidationError({key: ["is about each trigger; write it in the outermost group."] for key in outside})
        return super()._deserialize(value, attr, data, **kwargs)

    def _beside(self) -> tuple[str, ...]:
        return _WITHIN
