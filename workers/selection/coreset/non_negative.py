"""Least squares without negative weights."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard

_ROUNDING = 1e-12  # as a share of the largest number beside it
_PATIENCE = 3  # exchanges of many at once that may bring nothing


def non_negative_solution(matrix: Tensor, values: Tensor, go_on: GoOn = unheard) -> Tensor:
    """The x ≥ 0 with the smallest ‖Mx − v‖; M (k, k) has full rank. float64 (k, k), (k,) → (k,).

    Pivoting by blocks (Portugal, Júdice and Vicente, Mathematics of Computation 63, 1994): a guess at which x are 0
    fixes the others. Those that come out negative become 0, and those at 0 whose growth would help are freed, all at
    once; when that brings nothing several times, only the last, which ends for certain. O(k³) operations a guess;
    `go_on` is called with each.
    """
    size = len(values)
    free = torch.ones(size, dtype=torch.bool, device=values.device)
    fewest, patience = size + 1, _PATIENCE
    while True:
        go_on()
        solution, wrong = _fixed_by(matrix, values, free)
        if (number := int(wrong.sum())) == 0:
            return solution
        if number < fewest:
            fewest, patience = number, _PATIENCE
        elif patience:
            patience -= 1
        else:
            last = int(wrong.nonzero()[-1, 0])
            wrong = torch.zeros_like(wrong)
            wrong[last] = True
        free = free ^ wrong


def _fixed_by(matrix: Tensor, values: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """The best x whose others are 0, and which of all are on the wrong side."""
    solution = torch.zeros_like(values)
    if free.any():
        solution[free] = torch.linalg.lstsq(matrix[:, free], values[:, None], driver="gels").solution[:, 0]
    growth = matrix.T @ (values - matrix @ solution)  # what helps, were an x to grow
    scale = matrix.norm(dim=0) * values.norm()
    wrong = torch.where(free, solution < 0, growth > _ROUNDING * scale)
    return solution, wrong
