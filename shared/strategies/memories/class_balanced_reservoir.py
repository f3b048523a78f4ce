"""Strategy class_balanced_reservoir."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.strategies.memories.kept.class_balanced import ClassBalanced
from shared.strategies.memories.options import Remembering, classes_of, memory_seed
from shared.strategies.strategy import CurrentModel, Piece, Pieces, Request, State, Strategy, unweighted


class ClassBalancedReservoir(Strategy):
    """As many rows of each class as of any other, as far as there are so many; of each class a uniform sample.

    Strategy `gdumb` remembers the same rows. A row's class is its label as it was when the row became known. The state
    is the memory's table. Chrysakis and Moens (ICML 2020).
    """

    wants_labels = True
    selects_all, forgets_triggers = True, True

    class Schema(Remembering):
        """Its options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self.selects_at_most = options, options["limit"]

    @classmethod
    def balances_by(cls, options: Mapping[str, Any]) -> str | None:
        """Always."""
        return "name"

    def observe(self, piece: Piece, state: State) -> State:
        """Rows enter as their draws say, and push out others. Raises ValueError for more labels than `limit`."""
        memory = self._memory(piece.seed)
        classes = classes_of(piece, state, self._options["limit"])
        return memory.observe(memory.empty() if state is None else state, piece.keys, classes)

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is remembered."""
        kept = [] if state is None else [self._memory(request.seed).keys(state)]
        return unweighted(iter(kept)), state

    def _memory(self, of_pipeline: int) -> ClassBalanced:
        return ClassBalanced(self._options["limit"], memory_seed(self._options, of_pipeline))
