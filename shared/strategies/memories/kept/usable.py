"""What a memory may be given: keys, and a limit."""

from __future__ import annotations

import numpy as np

from shared.strategies.draws import Keys


def usable_keys(keys: Keys) -> Keys:
    """Keys as they must be. Raises ValueError."""
    if keys.dtype != np.int64 or keys.ndim != 1:
        raise ValueError(f"keys are {keys.dtype} of shape {keys.shape}; they are int64 (n,)")
    return keys


def usable_limit(limit: int) -> int:
    """How many rows are kept at most. Raises ValueError."""
    if limit < 1:
        raise ValueError(f"limit is {limit}; a memory keeps 1 row or more")
    return limit
