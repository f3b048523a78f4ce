"""Strategy all_data."""

from __future__ import annotations

from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class AllData(Strategy):
    """Every followed row up to the trigger: the baseline that everyone compares with."""

    selects_all = True

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is known."""
        return unweighted(request.rows(None)), state
