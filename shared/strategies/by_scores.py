"""From scores of rows to the rows that are chosen by them: two passes over the keys, one over the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from shared.strategies.strategy import Keys, Pieces
from shared.strategies.weighted_draws import Places, Scores, Weights


def by_scores(
    rows: Callable[[], Iterator[Keys]],
    scores_of: Callable[[Keys], Iterator[tuple[Keys, npt.NDArray[np.float64]]]],
    choose: Callable[[Scores], tuple[Places, Weights]],
) -> Pieces:
    """Those of the rows that `choose` takes by all their scores, with its weights; none where there are none.

    `rows` gives the same keys twice. Rows are scored piece by piece, and only their scores are kept: 8 bytes a row, and
    some 32 while it is chosen.
    """
    scores = np.concatenate([np.empty(0), *(found for keys in rows() for _, found in scores_of(keys))])
    if not len(scores):
        return
    places, weights = choose(scores)
    del scores
    first = 0
    for keys in rows():
        start, stop = np.searchsorted(places, (first, first + len(keys)))
        yield keys[places[start:stop] - first], weights[start:stop].astype(np.float32)
        first += len(keys)
