"""GradMatch: rows with weights whose gradients add up to a target."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.selection.coreset.exact import TIE, first_largest, summed
from workers.selection.coreset.inputs import usable, usable_count, usable_number, usable_rows
from workers.selection.coreset.non_negative import non_negative_solution

_DEPENDENT = 1e-12  # a pivot that is smaller, as a share of the row's square, is rounding


def grad_match(gradients: Tensor, target: Tensor, k: int, regularisation: float) -> tuple[Tensor, Tensor]:
    """Orthogonal matching pursuit: gradients (n, d) and target (d,) → indices, ascending, and weights > 0, both (≤ k,).

    k times, the row whose gradient has the largest product with what is left of the target is picked, and what is left
    is found anew: t − Σ xᵢgᵢ with (A + λI) x = c, where A holds the products of the picked gradients with each other,
    c those with the target, and λ is `regularisation`, in squared units of the gradients; after the first pick x is
    c / A. In the end the weights are the x ≥ 0 with the smallest ‖(A + λI) x − c‖; rows of weight 0 are dropped, so
    none may be left. Where λ is 0, a picked gradient that is a combination of those picked before, such as 0 or an
    equal one, gets no weight. Σ xᵢgᵢ itself comes near the target. Weights have the gradients' type. Raises ValueError.

    O(n·d·k + k³) operations, memory O(n·d + k²). Killamsetty, Durga, Ramakrishnan, De and Iyer (ICML 2021).
    """
    rows = usable_rows(gradients, "gradients")
    k = usable_count(k, len(rows))
    regularisation = usable_number(regularisation, "regularisation", least=0)
    if target.shape != rows.shape[1:] or target.device != rows.device:
        there = f"shape {tuple(target.shape)} on {target.device}"
        raise ValueError(f"target has {there}; it is ({rows.shape[1]},) on {rows.device}, as a gradient is")
    pursuit = _Pursuit(rows.double(), usable(target, "target").double(), k, regularisation)
    for _ in range(k):
        pursuit.pick()
    indices, weights = pursuit.weights()
    return indices, weights.to(rows.dtype)


class _Pursuit:
    """The rows picked, W with WᵀW = (A + λI)⁻¹, and what is left of the target.

    W is the inverse of a Cholesky factor, so a pick adds a line w to it, and (w·c) w to the weights.
    """

    def __init__(self, rows: Tensor, target: Tensor, k: int, regularisation: float) -> None:
        self._rows, self._target, self._left, self._regularisation = rows, target, target, regularisation
        self._largest = float((rows * rows).sum(dim=1).max()) ** 0.5
        self._gone = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
        self._used: list[int] = []  # of the picked, those that bring something new
        self._gradients = rows.new_empty(k, rows.shape[1])  # theirs
        self._inverse, self._products, self._weights = rows.new_zeros(k, k), rows.new_empty(k), rows.new_zeros(k)

    def pick(self) -> None:
        """One more row."""
        best = self._best()
        self._gone[best] = True
        if not self._took(best):
            return
        size, gradients, weights = len(self._used), self._gradients, self._weights
        if size == 1:
            square = gradients[0] @ gradients[0]
            weights = self._products[:1] / square if square > 0 else torch.zeros_like(self._products)
        self._left = self._target - weights[:size] @ gradients[:size]

    def _best(self) -> int:
        """The first row with the largest product; those that a quick one leaves in doubt are compared exactly."""
        products = (self._rows @ self._left).masked_fill_(self._gone, -torch.inf)
        size = self._largest * float(self._left.norm())
        wrong = 2 * max((self._rows.shape[1] + 8) * torch.finfo(products.dtype).eps, TIE)
        near = (products >= products.max() - 2 * wrong * size).nonzero()[:, 0]
        if len(near) == 1:
            return int(near)
        near_size = float(self._rows[near].norm(dim=1).max() * self._left.norm())
        return int(near[first_largest(summed((self._rows[near] * self._left).T), near_size)])

    def _took(self, row: int) -> bool:
        """Let W grow by a row, unless it brings nothing new."""
        size, gradient = len(self._used), self._rows[row]
        inverse = self._inverse[:size, :size]
        known = inverse @ (self._gradients[:size] @ gradient)
        diagonal = gradient @ gradient + self._regularisation
        pivot = diagonal - known @ known
        if not pivot > _DEPENDENT * diagonal:
            return False
        line = self._inverse[size, : size + 1]
        line[:size], line[size] = -(known @ inverse), 1
        line /= pivot.sqrt()
        self._gradients[size], self._products[size] = gradient, gradient @ self._target
        self._weights[: size + 1] += (line @ self._products[: size + 1]) * line
        self._used.append(row)
        return True

    def weights(self) -> tuple[Tensor, Tensor]:
        """Indices, ascending, and weights above 0."""
        indices, order = torch.tensor(self._used, dtype=torch.int64, device=self._rows.device).sort()
        gradients, products = self._gradients[order], self._products[order]
        gram = gradients @ gradients.T
        gram.diagonal().add_(self._regularisation)
        solution = non_negative_solution(gram, products)
        return indices[solution > 0], solution[solution > 0]
