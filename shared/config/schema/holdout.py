"""`holdout:` of strategy rho_loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f

ON_VALIDATION = "validation"


class Holdout(f.Text):
    """Where a holdout model comes from."""

    kind = f"{ON_VALIDATION} | URI"
    default_error_messages = {"required": f"is missing; add one, such as {ON_VALIDATION}."}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError:
            told = f"write {ON_VALIDATION}, or the path of a model.safetensors."
            raise ValidationError(f"{f.quoted(value)} is no holdout model; {told}") from None
