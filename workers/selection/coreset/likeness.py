"""How alike rows are, from how far they are from each other: what coresets need that are chosen from a matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NUMBERS_AT_ONCE, distances

_LEAST = 1e-3  # similarity of the two rows farthest apart
_SOME = 1_000  # rows: the median of their half a million distances is that of all, to a percent or so


def similarity(rows: Tensor, go_on: GoOn = unheard) -> Tensor:
    """max(D) − D + 1e-3, D the euclidean distance of each row to each: (n, d) → (n, n), float64; symmetric.

    O(n²·d) operations; `go_on` is called with every few rows. That of CRAIG.
    """
    far = _distances(rows, go_on)
    largest = far.max()
    return far.neg_().add_(largest).add_(_LEAST)


def gaussian_kernel(rows: Tensor, go_on: GoOn = unheard) -> Tensor:
    """exp(−D² / m), m the median of D² over the distinct pairs of rows: (n, d) → (n, n), float64; symmetric.

    So half of all pairs are more alike than 1/e. Of more than 1,000 rows the median is that of 1,000 at even steps.
    Where it is 0, as most rows are equal, the kernel is its limit: 1 for equal rows, else 0. O(n²·d) operations;
    `go_on` is called with every few rows.
    """
    middle = _median_square(rows)
    far = _distances(rows, go_on)
    if middle == 0:
        return (far == 0).double()
    return far.square_().div_(-middle).exp_()


def _distances(rows: Tensor, go_on: GoOn) -> Tensor:
    rows = rows.double()
    far = torch.empty(len(rows), len(rows), dtype=torch.float64, device=rows.device)
    at_once = max(1, NUMBERS_AT_ONCE // len(rows))
    for start in range(0, len(rows), at_once):
        go_on()
        far[start : start + at_once] = distances(rows[start : start + at_once], rows)
    return far


def _median_square(rows: Tensor) -> float:
    """The mean of both middle ones where the number of pairs is even; 0 for a single row."""
    few = min(len(rows), _SOME)
    some = rows[torch.arange(few, device=rows.device) * len(rows) // few]
    first, second = torch.triu_indices(few, few, offset=1, device=rows.device)
    squares = distances(some, some)[first, second].square().sort().values
    if len(squares) == 0:
        return 0.0
    return float(squares[(len(squares) - 1) // 2] + squares[len(squares) // 2]) / 2
