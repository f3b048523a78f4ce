"""Ranges of keys that are ascending and apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.messages.tasks import KeyRange
from shared.strategies.strategy import Keys


def among(keys: Keys, ranges: Sequence[KeyRange]) -> npt.NDArray[np.bool_]:
    """Which of these keys, in any order, lie in one of the ranges; (n,) → (n,)."""
    borders = np.array([(first, last + 1) for first, last in ranges], np.int64).reshape(-1)
    return np.asarray(np.searchsorted(borders, keys, side="right") % 2 == 1)
