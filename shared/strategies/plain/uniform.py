"""Strategy uniform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.strategies.common import Seeded, Sized, seed_of, size_of, triggers_before
from shared.strategies.draws import drawn
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class Uniform(Strategy):
    """A random `fraction` of the rows, or `limit` of them: each row as likely as any other, and none twice."""

    class Schema(Sized, Seeded):
        """Its options."""

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
        rows = drawn(lambda: request.rows(self._triggers), lambda n: size_of(self._options, n), seed)
        return unweighted(rows), state
