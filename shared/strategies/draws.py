"""A row's draw: the random number by which it is chosen or not, from its key and a seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from shared.split import splitmix64

Keys = npt.NDArray[np.int64]
Draws = npt.NDArray[np.uint64]

_BITS = 16  # of a draw, that tell rows apart where they are counted: memory for so many counts, however many rows


def draws_of(keys: Keys, seed: int) -> Draws:
    """One for each key, (n,) → (n,): each its own, and independent of what splits rows by their keys."""
    return splitmix64(splitmix64(keys.view(np.uint64)) ^ splitmix64(np.array([seed], np.int64).view(np.uint64)))


def seed_at(seed: int, trigger_key: int) -> int:
    """Another seed for each trigger, int64 ≥ 0."""
    return int(draws_of(np.array([trigger_key], np.int64), seed)[0] >> np.uint64(1))


def drawn(rows: Callable[[], Iterator[Keys]], how_many: Callable[[int], int], seed: int) -> Iterator[Keys]:
    """`how_many(n)` of the n rows, at random without replacement, piece by piece as `rows` gives them, twice.

    Those with the smallest draws. Only the first bits of a draw count, and of the rows that share those of the last one
    chosen the first are taken; so memory does not grow with the rows, and a row's chance differs by 2⁻¹⁶ at most.
    """
    counts = np.zeros(1 << _BITS, np.int64)
    for keys in rows():
        counts += np.bincount(_first_bits(keys, seed), minlength=1 << _BITS)
    upto = np.cumsum(counts)
    most = how_many(int(upto[-1]))
    last = int(np.searchsorted(upto, most))  # whose rows are not all chosen, or none is left out
    left = most - (int(upto[last - 1]) if last else 0)
    for keys in rows():
        bits = _first_bits(keys, seed)
        shared = np.flatnonzero(bits == last)[:left]
        left -= len(shared)
        chosen = bits < last
        chosen[shared] = True
        yield keys[chosen]


def _first_bits(keys: Keys, seed: int) -> npt.NDArray[np.int64]:
    return (draws_of(keys, seed) >> np.uint64(64 - _BITS)).astype(np.int64)
