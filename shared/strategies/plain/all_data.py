"""Strategy all_data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.strategies.common import Limited, Seeded, limited
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class AllData(Strategy):
    """Every followed row up to the trigger, or `limit` of them at random: the baseline that everyone compares with."""

    selects_all, forgets_triggers = True, True

    class Schema(Limited, Seeded):
        """Its options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self.selects_at_most = options, options.get("limit")

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is known."""
        return unweighted(limited(lambda: request.rows(None), self._options, request)), state
