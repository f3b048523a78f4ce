"""Strategy latest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.config import fields as f
from shared.strategies.newest import counted, newest
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class Latest(Strategy):
    """The newest `limit` rows, however many have come since the previous trigger."""

    selects_all, forgets_triggers = True, True

    class Schema(f.Group):
        """Its options."""

        limit = f.Whole("rows that are selected at most", required=True)

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.selects_at_most = self._limit = options["limit"]

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The last by key."""
        there = counted(request.rows(None))
        pieces = newest(((keys,) for keys in request.rows(None)), there, self._limit)
        return unweighted(keys for (keys,) in pieces), state
