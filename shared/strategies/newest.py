"""The last rows of a stream of them, in memory for as many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Piece = TypeVar("Piece", bound=tuple[npt.NDArray[np.int64], ...])


def newest(pieces: Iterable[Piece], rows: int) -> Iterator[tuple[npt.NDArray[np.int64], ...]]:
    """The last `rows` of all pieces, each a tuple of arrays (n,); all where there are not so many."""
    kept, there = deque[Piece](), 0
    for piece in pieces:
        kept.append(piece)
        there += len(piece[0])
        while there - len(kept[0][0]) >= rows:
            there -= len(kept.popleft()[0])
    over = max(there - rows, 0)  # of the first piece alone
    for piece in kept:
        yield tuple(column[over:] for column in piece)
        over = 0
