"""Strategy herding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.strategies.fair_share import shares
from shared.strategies.memories.kept.class_balanced import ClassBalanced
from shared.strategies.memories.options import Remembering, classes_of, memory_seed
from shared.strategies.strategy import CurrentModel, Keys, Piece, Pieces, Request, State, Strategy, unweighted

Classes = npt.NDArray[np.uint64]

_SCHEMA = pa.schema([("class", pa.uint64()), ("key", pa.int64())])


class Herding(Strategy):
    """Of each class the rows whose mean is nearest to the class's, as the current model embeds them.

    Chosen at each trigger from what is remembered and what became known since; so the mean to come near is that of
    these, and a row that was dropped counts no more. `limit` is shared like water: classes up to one level, or with all
    they have. Without a model the rows of a class are drawn at random. iCaRL (Rebuffi, Kolesnikov, Sperl and Lampert,
    CVPR 2017) chooses with the model that has learned the rows; here new ones are chosen by the model before.

    A state is a table of `class` and `key`, ascending by key: `limit` rows, and while rows are observed those, too.
    """

    wants_labels = True
    reads_model = True
    selects_all = True

    class Schema(Remembering):
        """Its options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self._limit = options, options["limit"]
        self.selects_at_most = self._limit

    @classmethod
    def balances_by(cls, options: Mapping[str, Any]) -> str | None:
        """Always."""
        return "name"

    def observe(self, piece: Piece, state: State) -> State:
        """All are candidates. Raises ValueError for more labels than `limit`."""
        new = pa.table({"class": classes_of(piece, state, self._limit), "key": piece.keys}, schema=_SCHEMA)
        return new if state is None else pa.concat_tables([state, new])

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The exemplars of each class. What the model is asked for takes its worker's device, and memory for them."""
        if state is None:
            return unweighted(iter([])), None
        order = np.argsort(state["key"].to_numpy(), kind="stable")
        classes, keys = (state[name].to_numpy()[order] for name in _SCHEMA.names)
        kept = self._random(classes, keys, request) if model is None else self._herded(classes, keys, request, model)
        remembered = np.isin(keys, kept)
        after = pa.table({"class": classes[remembered], "key": keys[remembered]}, schema=_SCHEMA)
        return unweighted(iter([kept])), after

    def _random(self, classes: Classes, keys: Keys, request: Request) -> Keys:
        memory = ClassBalanced(self._limit, memory_seed(self._options, request.seed))
        return memory.keys(memory.observe(memory.empty(), keys, classes))

    def _herded(self, classes: Classes, keys: Keys, request: Request, model: CurrentModel) -> Keys:
        """Ascending. Classes that keep all their rows are not asked about; the others all at once, in one pass."""
        _, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
        shared = shares(counts, self._limit)
        asked = (shared < counts)[codes]
        if not (most := int(shared[shared < counts].sum())):
            return keys[~asked]
        options = {"space": "embedding", "per_class": True, "seed": memory_seed(self._options, request.seed)}
        herded, _ = model.coreset("herding", keys[asked], most, options)
        return np.sort(np.concatenate([keys[~asked], herded]))
