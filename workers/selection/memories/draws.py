"""A row's draw: the random number by which it is kept or not, for ever the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.split import splitmix64

Keys = npt.NDArray[np.int64]
Draws = npt.NDArray[np.uint64]


def draws_of(keys: Keys, seed: int) -> Draws:
    """One for each key, (n,) → (n,): each its own, and independent of what splits rows by their keys."""
    return splitmix64(splitmix64(keys.view(np.uint64)) ^ splitmix64(np.array([seed], np.int64).view(np.uint64)))


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
