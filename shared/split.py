"""Which rows are train, validation and test, for ever, from the key alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

SplitName = Literal["train", "validation", "test"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def splitmix64(seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The first output of splitmix64 for each seed (Steele, Lea and Flood, OOPSLA 2014). Shape (n,) → (n,)."""
    with np.errstate(over="ignore"):
        z = seeds + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        return z ^ (z >> np.uint64(31))


def seeds_of_groups(values: Iterable[object]) -> npt.NDArray[np.uint64]:
    """Seeds for a split by column: the first 8 bytes, big endian, of SHA-256 of each value's UTF-8 text."""
    digests = b"".join(hashlib.sha256(str(value).encode()).digest()[:8] for value in values)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def rows_in_split(
    seeds: npt.NDArray[np.uint64], split: SplitName, *, test: float, validation: float
) -> npt.NDArray[np.bool_]:
    """Mask of the rows in `split`, for the shares of `data.split`. Seeds are keys or `seeds_of_groups`."""
    u = (splitmix64(seeds) >> np.uint64(11)).astype(np.float64) / 2.0**53
    if split == "test":
        return u < test
    if split == "validation":
        return (u >= test) & (u < test + validation)
    return u >= test + validation
