"""Log determinant: rows that are as unlike each other as can be."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NEAR_NUMBERS, first_largest, summed
from workers.selection.coreset.inputs import usable_count, usable_square

LEAST_PIVOT = 1e-12  # what a row must add to the determinant, as a factor


def log_determinant(kernel: Tensor, k: int, *, go_on: GoOn = unheard) -> Tensor:
    """Greedy on log det of the picked rows' kernel; (n, n) → indices (≤ k,) in the order picked.

    The kernel is symmetric and has no negative eigenvalue; it is read by rows. Fewer than k come back, perhaps none,
    where no row is left whose pivot, the factor by which it would multiply the determinant, exceeds 1e-12: the others
    are combinations of those that were picked. `go_on` is called with each pick. Raises
    ValueError.

    A Cholesky factor grows by a column a pick: O(n·k²) operations, memory O(n·k). Chen, Zhang and Zhou (NeurIPS 2018).
    """
    matrix = usable_square(kernel, "kernel")
    return most_unlike(matrix.diagonal(), lambda row: matrix[row].double(), usable_count(k, len(matrix)), go_on)


def most_unlike(diagonal: Tensor, line: Callable[[int], Tensor], k: int, go_on: GoOn) -> Tensor:
    """As `log_determinant`, of a kernel's diagonal (n,), and its lines, (n,) in float64, as they are asked for."""
    pivots = diagonal.to(torch.float64, copy=True)
    factor = torch.empty(k, len(pivots), dtype=torch.float64, device=pivots.device)
    picked: list[int] = []
    while len(picked) < k:
        go_on()
        largest = float(pivots.max())
        if not largest > LEAST_PIVOT:
            break
        best = first_largest(pivots, largest)
        column = (line(best) - _products(factor[: len(picked)], best)) / pivots[best].sqrt()
        pivots -= column * column
        pivots[best] = -torch.inf
        factor[len(picked)] = column
        picked.append(best)
    return torch.tensor(picked, dtype=torch.int64, device=pivots.device)


def _products(lines: Tensor, best: int) -> Tensor:
    """Of one column with each, (m, n) → (n,); some at a time, as terms that are far away take many times as long."""
    at_once = max(1, NEAR_NUMBERS // max(1, len(lines)))
    room = lines.new_empty(len(lines) * at_once)
    found = lines.new_empty(lines.shape[1])
    for start in range(0, len(found), at_once):
        part = lines[:, start : start + at_once]
        terms = torch.mul(part, lines[:, best : best + 1], out=room[: part.numel()].view(part.shape))
        found[start : start + at_once] = summed(terms)
    return found
