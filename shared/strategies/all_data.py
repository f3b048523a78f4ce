"""Strategy all_data."""

from __future__ import annotations

from shared.strategies.strategy import Pieces, Request, State, Strategy, unweighted


class AllData(Strategy):
    """Every followed row up to the trigger: the baseline that everyone compares with."""

    def select(self, request: Request, state: State, model: bytes | None) -> tuple[Pieces, State]:
        """From the first row that may be selected."""
        return unweighted(request.rows(request.first_key)), state
