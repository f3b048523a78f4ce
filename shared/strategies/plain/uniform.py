"""Strategy uniform."""

from __future__ import annotations

from shared.strategies.common import Seeded, SelectsFrom, Sized, sized
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, unweighted


class Uniform(SelectsFrom):
    """A random `fraction` of the rows, or `limit` of them: each row as likely as any other, and none twice."""

    forgets_triggers = True

    class Schema(Sized, Seeded):
        """Its options."""

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """Other rows at each trigger; of those that a fraction is of, one at least."""
        return unweighted(sized(lambda: self._rows(request), self._options, request)), state
