"""Whether rows near one say more of its label than all rows do: errors of local regressions, from wide to narrow.

A reading of CALIPER, as docs/triggers.md tells it (`after_drift`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workers.going_on import GoOn, unheard

Rows = npt.NDArray[np.float64]

LOCALITIES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # θ: a row at distance r, of a mean distance of 1, has weight exp(−θ·r)
ROWS_PER_COEFFICIENT = 2  # effective rows that the narrowest regression needs for each of its d + 1 coefficients
SURE = 2.0  # standard errors by which the error must have fallen
_MOST_ASKED = 400
_RIDGE = 1e-6  # of the mean square of the regression's inputs, so that columns that say the same can be solved
_TINY = 1e-12  # where no column varies


class LocalErrors:
    """Errors of the rows of the later half, each predicted from all rows before it by weighted linear regressions.

    `errors` (localities,): mean distance of the prediction from the label; `effective`: how many rows the narrowest
    regression was of, in the middle; `needed` so many; `fall`, from the widest to the narrowest, and its `fall_error`.
    """

    def __init__(self, x: Rows, y: Rows, go_on: GoOn = unheard) -> None:
        """`x` (n, d), standardised, `y` (n, k), in the order in which rows came; n ≥ 4."""
        asked = np.unique(np.linspace(len(x) // 2, len(x) - 1, _MOST_ASKED).astype(np.int64))
        found = [_errors_of(x[: key + 1], y[: key + 1], go_on) for key in asked]
        errors = np.array([one for one, _ in found])
        falls = errors[:, 0] - errors[:, -1]
        self.errors: Rows = errors.mean(axis=0)
        self.effective = float(np.median([effective for _, effective in found]))
        self.needed = ROWS_PER_COEFFICIENT * (x.shape[1] + 1)
        self.fall = float(falls.mean())
        self.fall_error = float(falls.std(ddof=1) / np.sqrt(len(falls)))

    @property
    def are_rows_enough(self) -> bool:
        """Whether there are enough effective rows, and the error falls at each step, by more than chance in all."""
        return self.effective >= self.needed and self.falls_throughout and self.is_sure

    @property
    def falls_throughout(self) -> bool:
        """Whether it rises at no step from wide to narrow."""
        return bool((np.diff(self.errors) <= 0).all())

    @property
    def is_sure(self) -> bool:
        """Whether the fall is none that chance makes."""
        return self.fall > SURE * self.fall_error


def _errors_of(x: Rows, y: Rows, go_on: GoOn) -> tuple[Rows, float]:
    """Of the last row from those before it: the error at each locality, and the effective rows at the narrowest."""
    go_on()
    away = x[:-1] - x[-1]
    distance = np.sqrt(np.einsum("ij,ij->i", away, away))
    distance /= distance.mean() or 1.0
    inputs = np.concatenate([np.ones((len(away), 1)), away], axis=1)
    errors, weights = [], np.ones(len(away))
    for locality in LOCALITIES:
        weights = np.exp(-locality * (distance - distance.min()))  # a common factor changes nothing
        weighted = inputs * weights[:, None]
        squares = inputs.T @ weighted
        slopes = np.arange(1, len(squares))
        squares[slopes, slopes] += _RIDGE * squares[slopes, slopes].sum() / len(slopes) + _TINY
        here = np.linalg.solve(squares, weighted.T @ y[:-1])[0]
        errors.append(float(np.linalg.norm(y[-1] - here)))
    return np.array(errors), float(weights.sum() ** 2 / (weights**2).sum())
