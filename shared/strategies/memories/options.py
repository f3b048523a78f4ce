"""Options that memories have, and what they make of a piece of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.config import fields as f
from shared.split import seeds_of_column
from shared.strategies.common import Seeded
from shared.strategies.strategy import Piece, State


class Remembering(Seeded):
    """Of one that trains on what it remembers."""

    limit = f.Whole("rows that are remembered, and selected, at most", required=True)


def memory_seed(options: Mapping[str, Any], of_pipeline: int) -> int:
    """That of a memory's draws, the same at each trigger, for the options of `Seeded`."""
    own: int | None = options.get("seed")
    return of_pipeline if own is None else own


def classes_of(piece: Piece, state: State, limit: int) -> npt.NDArray[np.uint64]:
    """A number for each row's label, (n,). Raises ValueError for more labels than a memory has rows.

    `state`: a table whose `class` has every label so far, as each class has a row until there are more than `limit`.
    """
    if not len(piece.keys):
        return np.empty(0, np.uint64)
    assert piece.labels is not None, "the strategy wants labels"
    classes = seeds_of_column(piece.labels)
    remembered = np.empty(0, np.uint64) if state is None else state["class"].to_numpy()
    if len(np.union1d(remembered, classes)) > limit:
        raise ValueError(
            f"there are more labels than the {limit:,} rows that are remembered, so no class can have its share; "
            "remember more rows, or use a memory that knows no classes, such as `reservoir`."
        )
    return classes
