"""Least squares without negative weights."""

from __future__ import annotations

import torch
from scipy.optimize import nnls
from torch import Tensor

from workers.going_on import GoOn, unheard

_ROUNDING = 1e-12  # as a share of the largest number beside it
_PATIENCE = 3  # exchanges of many at once that may bring nothing
_EXCHANGES = 30  # for each weight; scipy's own 3 are too few for rows whose sizes are far apart, and 10 were enough


def non_negative_solution(matrix: Tensor, values: Tensor, go_on: GoOn = unheard) -> Tensor:
    """The x ≥ 0 with the smallest ‖Mx − v‖; M (k, k) has full rank. float64 (k, k), (k,) → (k,).

    Pivoting by blocks (Portugal, Júdice and Vicente, Mathematics of Computation 63, 1994): a guess at which x are 0
    fixes the others. Those that come out negative become 0, and those at 0 whose growth would help are freed, all at
    once; when that brings nothing several times, only the last, which ends for certain but for rounding. Where M is so
    near to a lower rank that rounding brings a guess back, weights grow one by one instead, from 0 on. O(k³) operations
    a guess; `go_on` is called with each.
    """
    size = len(values)
    guessed: set[bytes] = set()  # since only one at a time is exchanged
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
            if (guess := free.cpu().numpy().tobytes()) in guessed:
                return _one_by_one(matrix, values, go_on)
            guessed.add(guess)
            last = int(wrong.nonzero()[-1, 0])
            wrong = torch.zeros_like(wrong)
            wrong[last] = True
        free = free ^ wrong


def non_negative_of_any_rank(
    matrix: Tensor, values: Tensor, go_on: GoOn = unheard, *, exchanges: int = _EXCHANGES
) -> Tensor:
    """As above, of M of whatever rank; of several such x that of scipy.optimize.nnls, as anyone would find it.

    It frees one weight after the other, which takes about twice as long. `exchanges`: at most, for each weight. If they
    are too few for scipy, the x that the same method finds here: it stops where rounding brings it no nearer. `go_on`
    is called before.
    """
    go_on()
    try:
        found, _ = nnls(matrix.cpu().numpy(), values.cpu().numpy(), maxiter=exchanges * len(values))
    except RuntimeError:
        return _one_by_one(matrix, values, go_on)
    return torch.from_numpy(found).to(values.device)


def _fixed_by(matrix: Tensor, values: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """The best x whose others are 0, and which of all are on the wrong side."""
    solution = torch.zeros_like(values)
    if free.any():
        solution[free] = torch.linalg.lstsq(matrix[:, free], values[:, None], driver="gels").solution[:, 0]
    growth = matrix.T @ (values - matrix @ solution)  # what helps, were an x to grow
    scale = matrix.norm(dim=0) * values.norm()
    wrong = torch.where(free, solution < 0, growth > _ROUNDING * scale)
    return solution, wrong


def _one_by_one(matrix: Tensor, values: Tensor, go_on: GoOn) -> Tensor:
    """As above, by Lawson and Hanson (Solving Least Squares Problems, 1974): it ends, as each x more brings it nearer.

    Where by rounding none does, those before are the best.
    """
    solution, least = torch.zeros_like(values), float(values.norm())
    while True:
        growth = matrix.T @ (values - matrix @ solution)
        growth[solution > 0] = -torch.inf
        best = int(growth.argmax())
        if not growth[best] > _ROUNDING * float(matrix[:, best].norm() * values.norm()):
            return solution
        free = solution > 0
        free[best] = True
        grown = _grown(matrix, values, solution, free, go_on)
        apart = float((values - matrix @ grown).norm())
        if not apart < least:
            return solution
        solution, least = grown, apart


def _grown(matrix: Tensor, values: Tensor, solution: Tensor, free: Tensor, go_on: GoOn) -> Tensor:
    """The best x of those that are free, less those that would fall below 0 on the way there."""
    while True:
        go_on()
        aim, _ = _fixed_by(matrix, values, free)
        below = free & (aim <= 0)
        if not below.any():
            return aim
        steps = solution[below] / (solution[below] - aim[below])
        solution = torch.where(free, torch.lerp(solution, aim, float(steps.nan_to_num().min())), 0.0).clamp_(min=0)
        solution[below.nonzero()[steps.nan_to_num().argmin(), 0]] = 0
        free = solution > 0
