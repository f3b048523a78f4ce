"""Strategy replay_mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.common import MOST_TRIGGERS, Limited, Seeded, seed_of
from shared.strategies.draws import drawn
from shared.strategies.memories.class_balanced_reservoir import ClassBalancedReservoir
from shared.strategies.memories.herding import Herding
from shared.strategies.memories.reservoir import Reservoir
from shared.strategies.strategy import CurrentModel, Keys, Piece, Pieces, Request, State, Strategy, unweighted

_MEMORIES: dict[str, type[Strategy]] = {
    "reservoir": Reservoir,
    "class_balanced_reservoir": ClassBalancedReservoir,
    "herding": Herding,
}


class ReplayMix(Strategy):
    """The new rows, and some of a memory of earlier ones, so that a model learns what is new and forgets less.

    With `share` replayed rows are that share of the set, or less where memory has not so many. Without it all are
    replayed. Where there is a `limit` and more than that, both give in proportion, or as `share` says; within each rows
    are drawn at random, and new rows fill what memory lacks. A row of memory that is also new (of `tail`) stands once.

    A memory replays what it remembered at the trigger before, so new rows push nothing out before it was replayed. The
    state is `memory`, that of a strategy of the same name, and while rows are observed `earlier`, what it was before.
    """

    recalls = True

    class Schema(Limited, Seeded):
        """Its options."""

        memory = f.Choice("how rows are remembered", *_MEMORIES, load_default="reservoir")
        memory_limit = f.Whole("rows that are remembered at most", required=True)
        share = f.PositiveNumber(
            "the share of the set that is replayed, above 0 and below 1, as far as memory holds so many rows; without "
            "it all that is remembered",
            load_default=None,
        )
        tail = f.Whole("previous triggers whose rows are selected again", least=0, most=MOST_TRIGGERS, load_default=0)

        @f.validates_schema
        def _fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            share, limit, most = data.get("share"), data.get("limit"), data.get("memory_limit")
            if share is None:
                return
            if share >= 1:
                told = f"{share:g} leaves no room for new rows; write a share such as 0.5, or use strategy reservoir."
                raise ValidationError({"share": [told]})
            if limit is not None and most is not None and most < (needed := round(share * limit)):
                told = f"{most} can never be {share:g} of {limit} rows; write {needed} or more, or a smaller share."
                raise ValidationError({"memory_limit": [told]})

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self.earlier_triggers = options, options["tail"] + 1
        of_memory = {"limit": options["memory_limit"], "seed": options["seed"]}
        self._memory = _MEMORIES[options["memory"]](of_memory)
        self.wants_labels, self.reads_model = self._memory.wants_labels, self._memory.reads_model
        self.selects_at_most = options["limit"]

    @classmethod
    def balances_by(cls, options: Mapping[str, Any]) -> str | None:
        """As its memory does."""
        return "memory" if _MEMORIES[options["memory"]].balances_by(options) else None

    def observe(self, piece: Piece, state: State) -> State:
        """New rows go into memory, beside what it was before."""
        state = state or {"memory": None}
        earlier = state.get("earlier", state["memory"])
        return {"earlier": earlier, "memory": self._memory.observe(piece, state["memory"])}

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """New rows are read twice, and twice more where they are not all selected."""
        state = state or {"memory": None}
        pieces, _ = self._memory.select(request, state.get("earlier", state["memory"]), model)
        _, after = self._memory.select(request, state["memory"], model)
        new, earlier = self._apart(request, np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in pieces)]))
        new_share, earlier_share = self._sizes(new, len(earlier))
        seed = seed_of(self._options, request)
        replayed = np.concatenate([*drawn(lambda: iter([earlier]), lambda _: earlier_share, seed)])
        rows = self._new(request) if new_share == new else drawn(lambda: self._new(request), lambda _: new_share, seed)
        return unweighted(_merged(rows, replayed)), {"memory": after}

    def stood_by(self, request: Request, state: State, *, all_rows: bool) -> State:
        """What was new is new no more."""
        if state is None:
            return None
        return {"memory": self._memory.stood_by(request, state["memory"], all_rows=all_rows)}

    def _new(self, request: Request) -> Iterator[Keys]:
        return request.rows(self.earlier_triggers)

    def _apart(self, request: Request, remembered: Keys) -> tuple[int, Keys]:
        """How many rows are new, and which of those that are remembered are not."""
        new, also = 0, np.zeros(len(remembered), np.bool_)
        for keys in self._new(request):
            new += len(keys)
            also |= np.isin(remembered, keys, assume_unique=True)
        return new, remembered[~also]

    def _sizes(self, new: int, earlier: int) -> tuple[int, int]:
        """How many of each are selected, of so many."""
        limit, share = self._options["limit"] or new + earlier, self._options["share"]
        if share is None:
            replayed = earlier if new + earlier <= limit else round(limit * earlier / (new + earlier))
        else:
            replayed = min(earlier, round(share * min(limit, new / (1 - share))))
        return min(new, limit - replayed), replayed


def _merged(pieces: Iterator[Keys], others: Keys) -> Iterator[Keys]:
    """Both, ascending, in the memory of a piece and the others."""
    for keys in pieces:
        before = int(np.searchsorted(others, keys[-1])) if len(keys) else 0
        yield np.union1d(keys, others[:before])
        others = others[before:]
    yield others
