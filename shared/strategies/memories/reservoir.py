"""Strategy reservoir."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.strategies.memories.kept import reservoir
from shared.strategies.memories.options import Remembering, memory_seed
from shared.strategies.strategy import CurrentModel, Piece, Pieces, Request, State, Strategy, unweighted


class Reservoir(Strategy):
    """A uniform sample of all rows that became known: each is remembered as likely as any other, however old.

    The state is the memory's table. Vitter (ACM Transactions on Mathematical Software 11, 1985).
    """

    selects_all, forgets_triggers = True, True

    class Schema(Remembering):
        """Its options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self.selects_at_most = options, options["limit"]

    def observe(self, piece: Piece, state: State) -> State:
        """Rows enter as their draws say."""
        memory = self._memory(piece.seed)
        return memory.observe(memory.empty() if state is None else state, piece.keys)

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is remembered."""
        kept = [] if state is None else [self._memory(request.seed).keys(state)]
        return unweighted(iter(kept)), state

    def _memory(self, of_pipeline: int) -> reservoir.Reservoir:
        return reservoir.Reservoir(self._options["limit"], memory_seed(self._options, of_pipeline))
