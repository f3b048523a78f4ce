"""Strategy freshness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.common import Seeded, seed_of
from shared.strategies.memories.kept.reservoir import Reservoir
from shared.strategies.memories.used import Used
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, Strategy, unweighted


class Freshness(Strategy):
    """At each trigger `limit` rows: a share that this run never selected before, the rest from those that it did.

    What one kind lacks the other gives. Within a kind rows are drawn at random, anew at each trigger. The state is the
    set of rows that were used, and belongs to the run: no other run sees it.
    """

    selects_all, recalls = True, True

    class Schema(Seeded):
        """Its options."""

        limit = f.Whole("rows that are selected at most", required=True)
        unused_share = f.PositiveNumber(
            "the share of them that was never selected before, above 0 and at most 1", required=True
        )

        @f.validates_schema
        def _is_a_share(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            share = data.get("unused_share")
            if share is not None and share > 1:
                raise ValidationError({"unused_share": [f"{share:g} is more than all; write a share, such as 0.8."]})

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self.selects_at_most = options, options["limit"]

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The rows are read once, in memory for two such sets."""
        limit, used = self._options["limit"], Used(state)
        drawn = Reservoir(limit, seed_of(self._options, request))
        unused_rows = used_rows = drawn.empty()
        for keys in request.rows(None):
            is_used = used.among(keys)
            unused_rows = drawn.observe(unused_rows, keys[~is_used])
            used_rows = drawn.observe(used_rows, keys[is_used])
        wanted = max(round(limit * self._options["unused_share"]), 1, limit - used_rows.num_rows)
        fresh = drawn.first(unused_rows, wanted)
        chosen = np.sort(np.concatenate([fresh, drawn.first(used_rows, limit - len(fresh))]))
        return unweighted(iter([chosen])), used.after(chosen)

    def stood_by(self, request: Request, state: State, *, all_rows: bool) -> State:
        """All rows were used, where all were selected."""
        if not all_rows:
            return state
        return Used(state).after(np.concatenate([np.empty(0, np.int64), *request.rows(None)]))
