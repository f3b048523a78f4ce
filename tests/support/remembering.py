"""Strategies of others, installed for all tests beside asking.py: they keep a state, and ask the current model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shared.config import fields as f
from shared.strategies.memories.kept.reservoir import Reservoir
from shared.strategies.strategy import CurrentModel, Keys, Piece, Pieces, Request, State, Strategy, unweighted


class Remembering(Strategy):
    """A reservoir of all rows, the sum of their labels, and how many selections there were."""

    class Schema(f.Group):
        """Its options."""

        limit = f.Whole("rows that are kept", load_default=10_000)

    wants_labels = True

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._memory = Reservoir(options["limit"], seed=0)
        self._nothing = {"selections": 0, "labels": 0, "rows": self._memory.empty()}

    def observe(self, piece: Piece, state: State) -> State:
        """One piece more."""
        assert piece.labels is not None
        state, labels = state or self._nothing, sum(piece.labels.to_pylist())
        kept = self._memory.observe(state["rows"], piece.keys)
        return {**state, "rows": kept, "labels": state["labels"] + labels}

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is remembered."""
        state = state or self._nothing
        kept = unweighted(iter([self._memory.keys(state["rows"])]))
        return kept, {**state, "selections": state["selections"] + 1}


class Unsure(Strategy):
    """The half of the new rows that the current model is least sure of; all of them where there is none."""

    reads_model = True

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """It remembers whom it asked."""
        asked = None if model is None else model.trigger_id
        kept = self._unsure(np.concatenate([np.empty(0, np.int64), *request.rows(1)]), model)
        return unweighted(iter([kept])), [*(state or []), asked]

    def _unsure(self, keys: Keys, model: CurrentModel | None) -> Keys:
        if model is None or not len(keys):
            return keys
        sure = np.concatenate([found.max(axis=1) for _, found in model.predictions(keys)])
        half: Keys = np.sort(keys[np.argsort(sure, kind="stable")[: (len(keys) + 1) // 2]])
        return half
