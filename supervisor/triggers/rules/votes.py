"""`combine:` how many of several must fire, as the file writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.errors import ConfigurationError
from supervisor.triggers.rules.combine import Combine, votes_needed


class Votes(f.Sentence):
    """A word, or a number of them."""

    kind = "any | all | majority | {at_least: N}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, dict) and list(value) == ["at_least"]:
            return {"at_least": f.Whole("").deserialize(value["at_least"])}
        if value not in ("any", "all", "majority"):
            raise ValidationError(f"{f.quoted(value)} is no way to combine; write {self.kind}.")
        return value


def refuse_too_many(combine: Combine, voters: int) -> None:
    """Raise ValidationError, at `combine`, where it asks for more than there are."""
    try:
        votes_needed(combine, voters)
    except ConfigurationError as error:
        raise ValidationError({"combine": [f"{error}."]}) from None
