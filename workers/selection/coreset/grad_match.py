"""GradMatch: rows with weights whose gradients add up to a target."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import TIE, first_largest, summed
from workers.selection.coreset.inputs import usable, usable_count, usable_number, usable_rows
from workers.selection.coreset.non_negative import non_negative_of_any_rank, non_negative_solution

_MANY_COLUMNS = 4096  # for float32: its error grows with them
# A pivot, as a share of the row's square, that is smaller:
_DEPENDENT = 1e-12  # is rounding
_NEARLY_DEPENDENT = 1e-6  # leaves too few digits to say which weights are 0 by several at once


def grad_match(
    gradients: Tensor, target: Tensor, k: int, regularisation: float, *, go_on: GoOn = unheard
) -> tuple[Tensor, Tensor]:
    """Orthogonal matching pursuit: gradients (n, d) and target (d,) → indices, ascending, and weights > 0, both (≤ k,).

    k times, the row whose gradient has the largest product with what is left of the target is picked, and what is left
    is found anew: t − Σ xᵢgᵢ with (A + λI) x = c, where A holds the products of the picked gradients with each other,
    c those with the target, and λ is `regularisation`, in squared units of the gradients; after the first pick x is
    c / A. In the end the weights are the x ≥ 0 with the smallest ‖(A + λI) x − c‖, of all picks; rows of weight 0 are
    dropped, so none may be left. Where λ is 0, a picked gradient that is a combination of those picked before, such as
    0 or an equal one, leaves what is left as it was; and there are many such x, of which it is the one that
    scipy.optimize.nnls finds, the picks ascending. Σ xᵢgᵢ itself comes near the target. Weights have the gradients'
    type. `go_on` is called with each pick. Raises ValueError.

    O(n·d·k + k²·d + k³) operations, memory O(n·d + k²). Killamsetty, Durga, Ramakrishnan, De and Iyer (ICML 2021).
    """
    rows = usable_rows(gradients, "gradients")
    k = usable_count(k, len(rows))
    regularisation = usable_number(regularisation, "regularisation", least=0)
    if target.shape != rows.shape[1:] or target.device != rows.device:
        there = f"shape {tuple(target.shape)} on {target.device}"
        raise ValueError(f"target has {there}; it is ({rows.shape[1]},) on {rows.device}, as a gradient is")
    quick = rows.dtype if rows.shape[1] <= _MANY_COLUMNS else torch.float64
    pursuit = _Pursuit(rows.double(), usable(target, "target").double(), k, regularisation, quick)
    for _ in range(k):
        go_on()
        pursuit.pick()
    indices, weights = pursuit.weights(go_on)
    return indices, weights.to(rows.dtype)


class _Pursuit:
    """The rows picked, and what is left of the target.

    With a Cholesky factor L of A + λI, Q = L⁻¹ G has a line for each pick; a new line follows from those before it and
    the new gradient in O(picks · d), and what is left is t − Qᵀ L⁻¹ c. So neither L nor weights are needed on the way.
    """

    def __init__(self, rows: Tensor, target: Tensor, k: int, regularisation: float, quick: torch.dtype) -> None:
        self._rows, self._target, self._regularisation = rows, target, regularisation
        # Column after column, which products with one gradient take a third less time over.
        self._quick = (rows / rows.norm(dim=1).max().clamp(min=torch.finfo(rows.dtype).tiny)).T.to(quick).contiguous().T
        # At most, as none is above 1.
        self._wrong = 2 * max((rows.shape[1] + 8) * torch.finfo(quick).eps, TIE)
        # Of what is left, as it has the rounding of the target: where nothing is left all rows tie.
        self._least = max(float(target.norm()) / 1024, torch.finfo(rows.dtype).tiny)
        self._gone = torch.zeros_like(self._quick[:, 0])  # −∞ where a row was picked
        self._picked: list[int] = []
        self._independent, self._of_full_rank = 0, True  # of these, that bring something new; and whether all do
        self._products = rows @ target
        self._lines, self._solved = rows.new_empty(k, rows.shape[1]), rows.new_empty(k)  # Q and L⁻¹ c
        self._left = self._left_in_full = target  # what the next pick goes by; and with λ, also after the first pick

    def pick(self) -> None:
        """One more row."""
        best = self._best()
        self._gone[best] = -torch.inf
        self._picked.append(best)
        gradient = self._rows[best]
        square = float(gradient @ gradient)
        if not self._took(best, gradient, square):
            return
        self._left = self._left_in_full
        if self._independent == 1 and square > 0:
            self._left = torch.sub(self._target, gradient, alpha=float(self._products[best]) / square)

    def _best(self) -> int:
        """The first row with the largest product; those that a quick one leaves in doubt are compared exactly."""
        size = max(float(torch.linalg.vector_norm(self._left)), self._least)
        products = torch.addmv(self._gone, self._quick, (self._left / size).to(self._quick.dtype))
        near = (products >= products.max() - 2 * self._wrong).nonzero()[:, 0]
        if len(near) == 1:
            return int(near)
        near_size = float(self._rows[near].norm(dim=1).max()) * size
        return int(near[first_largest(summed((self._rows[near] * self._left).T), near_size)])

    def _took(self, row: int, gradient: Tensor, square: float) -> bool:
        """Let Q grow by a row, unless it brings nothing new."""
        size, diagonal = self._independent, square + self._regularisation
        lines, solved = self._lines[:size], self._solved[:size]
        known = lines @ gradient  # the new line of L
        pivot = diagonal - float(known @ known)
        self._of_full_rank &= pivot > _NEARLY_DEPENDENT * diagonal
        if not pivot > _DEPENDENT * diagonal:
            return False
        share = 1 / pivot**0.5
        line = torch.addmv(gradient, lines.T, known, beta=share, alpha=-share, out=self._lines[size])
        part = (float(self._products[row]) - float(known @ solved)) * share
        self._solved[size] = part
        self._left_in_full = torch.sub(self._left_in_full, line, alpha=part)
        self._independent += 1
        return True

    def weights(self, go_on: GoOn) -> tuple[Tensor, Tensor]:
        """Indices, ascending, and weights above 0."""
        indices = torch.tensor(sorted(self._picked), dtype=torch.int64, device=self._rows.device)
        gradients = self._rows[indices]
        gram = gradients @ gradients.T
        gram.diagonal().add_(self._regularisation)
        solve = non_negative_solution if self._of_full_rank else non_negative_of_any_rank
        solution = solve(gram, self._products[indices], go_on)
        return indices[solution > 0], solution[solution > 0]
