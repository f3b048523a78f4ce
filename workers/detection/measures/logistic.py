"""Logistic regression that is solved to the end: the same rows always give the same weights."""

from __future__ import annotations

import torch

from workers.going_on import GoOn, unheard

_STEPS = 100  # Newton's: some eight do
_HALVINGS = 40
_AT_ONCE = 2_048  # rows
_SOLVED = 1e-14  # what a step would still gain, as a share of the cost


class Logistic:
    """Two classes, L2: ½‖w‖² + C·Σ log(1 + exp(−y·(x·w + b))), the intercept b not penalised. Newton's steps."""

    def __init__(self, rows: torch.Tensor, labels: torch.Tensor, c: float, go_on: GoOn = unheard) -> None:
        """Rows, float64 (n, d), standardised; labels, bool (n,), both among them. `go_on`: called often."""
        self._rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=rows.dtype)], dim=1)
        self._labels, self._c, self._go_on = labels.double(), c, go_on
        self._penalty = torch.ones(self._rows.shape[1], dtype=rows.dtype)
        self._penalty[-1] = 0
        self.weights = self._solved()  # (d + 1,), the intercept last

    def _solved(self) -> torch.Tensor:
        weights = torch.zeros_like(self._penalty)
        cost = self._cost(weights)
        for _ in range(_STEPS):
            step, gain = self._step(weights)
            if gain <= _SOLVED * cost:
                break
            weights, cost = self._moved(weights, cost, step, gain)
        return weights

    def _cost(self, weights: torch.Tensor) -> float:
        margins = self._rows @ weights
        losses = torch.nn.functional.softplus(margins) - self._labels * margins
        return float(self._c * losses.sum() + (self._penalty * weights.square()).sum() / 2)

    def _step(self, weights: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Newton's step, and what it would gain if the cost were quadratic."""
        chance = torch.sigmoid(self._rows @ weights)
        slope = self._c * (self._rows.T @ (chance - self._labels)) + self._penalty * weights
        curved = self._c * self._curved(chance * (1 - chance)) + torch.diag(self._penalty)
        step = -torch.linalg.solve(curved, slope)
        return step, float(-(slope @ step) / 2)

    def _curved(self, weights: torch.Tensor) -> torch.Tensor:
        """Σ weight·x·xᵀ, (d + 1, d + 1): of many rows, which take seconds, some at a time."""
        found = torch.zeros(len(self._penalty), len(self._penalty), dtype=torch.float64)
        for rows, some in zip(self._rows.split(_AT_ONCE), weights.split(_AT_ONCE), strict=True):
            self._go_on()
            found += (rows.T * some) @ rows
        return found

    def _moved(self, weights: torch.Tensor, cost: float, step: torch.Tensor, gain: float) -> tuple[torch.Tensor, float]:
        """A whole step, or the largest half of a half of it that costs less."""
        for halving in range(_HALVINGS):
            there = weights + step / 2**halving
            lower = self._cost(there)
            if lower <= cost - 0.1 * gain / 2**halving:
                return there, lower
        return weights + step, cost  # only rounding is left

    def margins(self, rows: torch.Tensor) -> torch.Tensor:
        """x·w + b, float64 (n,): above 0, the second class is likelier."""
        return rows @ self.weights[:-1] + self.weights[-1]
