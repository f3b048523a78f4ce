"""Fair shares of a limit among groups of rows, by water-filling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def shares(counts: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    """How many rows of each group are kept, which has so many; (groups,) → (groups,).

    All up to one level, the highest that `limit` rows fill; what then is left of the limit goes to the first groups
    that have more, one each.
    """
    if counts.sum() <= limit:
        return counts
    level, above = 0, limit + 1  # that can be filled, and that cannot
    while above - level > 1:
        middle = (level + above) // 2
        if np.minimum(counts, middle).sum() <= limit:
            level = middle
        else:
            above = middle
    filled = np.minimum(counts, level)
    one_more = np.flatnonzero(counts > level)[: limit - filled.sum()]
    filled[one_more] += 1
    return filled
