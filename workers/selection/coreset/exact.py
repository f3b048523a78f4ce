"""Sums and distances whose every bit follows from their terms, on each device and any number of threads; and ties."""

from __future__ import annotations

import torch
from torch import Tensor

NUMBERS_AT_ONCE = 1 << 22  # float64: 32 MiB
NEAR_NUMBERS = 1 << 18  # float64: 2 MiB, which a processor keeps near
TIE = 1e-12  # share of their size by which numbers may differ that are equal but for rounding


def summed(terms: Tensor) -> Tensor:
    """Sums over the first dimension: (m, …) → (…). Overwrites the terms.

    The lower half is added to the upper one, again and again. So the order depends on m alone, and where no term is
    greater than another's, neither is the sum. Library sums add a column in an order that depends on its place.
    """
    size = len(terms)
    while size > 1:
        half = size // 2
        terms.narrow(0, 0, half).add_(terms.narrow(0, size - half, half))
        size -= half
    return terms[0] if size else terms.new_zeros(terms.shape[1:])


def distances(rows: Tensor, others: Tensor) -> Tensor:
    """Euclidean, (…, n, d), (…, m, d) → (…, n, m), float64: from differences, so equal rows are at 0 and seen alike."""
    return torch.cdist(rows.double(), others.double(), compute_mode="donot_use_mm_for_euclid_dist")


def first_largest(values: Tensor, size: float) -> int:
    """The first of the largest values, (n,); `size`: of the numbers that they were found from."""
    return int((values >= values.max() - TIE * size).nonzero()[0, 0])


def first_nearest(rows: Tensor, point: Tensor, size: float) -> int:
    """The row that is nearest to a point: (n, d), (d,); `size`: of the numbers in them."""
    return first_largest(-distances(rows, point[None])[:, 0], size)
