"""Strategy uniform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.common import From, Limited, Seeded, seed_of, triggers_before
from shared.strategies.draws import drawn
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class Uniform(Strategy):
    """A random `fraction` of the rows, or `limit` of them: each row as likely as any other, and none twice."""

    class Schema(From, Limited, Seeded):
        """Its options."""

        fraction = f.PositiveNumber("the share of the rows that is selected, above 0 and at most 1", load_default=None)

        @f.validates_schema
        def _some_size(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            fraction = data.get("fraction")
            if fraction is None and data.get("limit") is None:
                raise ValidationError({"fraction": ["is missing, and so is limit; write one or both."]})
            if fraction is not None and fraction > 1:
                raise ValidationError({"fraction": [f"{fraction:g} is more than all; write a share, such as 0.5."]})

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._triggers = triggers_before(options)
        self.selects_all, self.selects_at_most = self._triggers is None, options["limit"]

    @property
    def earlier_triggers(self) -> int:
        """The previous one, and the tail's."""
        return self._triggers or 1

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """Other rows at each trigger; of those that a fraction is of, one at least."""
        seed = seed_of(self._options, request)
        return unweighted(drawn(lambda: request.rows(self._triggers), self._how_many, seed)), state

    def _how_many(self, rows: int) -> int:
        fraction, limit = self._options["fraction"], self._options["limit"]
        share = rows if fraction is None else max(round(fraction * rows), min(rows, 1))
        return share if limit is None else min(share, limit)
