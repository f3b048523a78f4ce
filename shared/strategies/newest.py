"""The last rows of a stream of them, however many: the stream is read twice, and nothing is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

Piece = TypeVar("Piece", bound=tuple[npt.NDArray[np.int64], ...])


def newest(pieces: Iterable[Piece], there: int, rows: int) -> Iterator[Piece]:
    """The last `rows` of all pieces, each a tuple of arrays (n,), that have `there` rows; all if these are not more."""
    over = max(there - rows, 0)
    for piece in pieces:
        passed = min(over, len(piece[0]))
        over -= passed
        if passed < len(piece[0]):
            yield cast(Piece, tuple(column[passed:] for column in piece))


def counted(pieces: Iterable[npt.NDArray[np.int64]]) -> int:
    """How many rows all pieces have."""
    return sum(map(len, pieces))
