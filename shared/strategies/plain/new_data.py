"""Strategy new_data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.config import fields as f
from shared.strategies.common import MOST_TRIGGERS, Limited, Seeded, limited
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class NewData(Strategy):
    """The rows since the previous trigger, and those of `tail` triggers before it; or `limit` of them at random."""

    forgets_triggers = True

    class Schema(Limited, Seeded):
        """Its options."""

        tail = f.Whole("previous triggers whose rows are selected again", least=0, most=MOST_TRIGGERS, load_default=0)

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self.earlier_triggers = options["tail"] + 1
        self.selects_at_most = options.get("limit")

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """What was not known at the trigger that is `tail + 1` back."""
        return unweighted(limited(lambda: request.rows(self.earlier_triggers), self._options, request)), state
