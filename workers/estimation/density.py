"""How many times as often rows like these stand in the window: weights that make a reference look like it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from workers.detection.measures.classifier import scale_of
from workers.detection.measures.logistic import Logistic
from workers.going_on import GoOn, unheard

Rows = npt.NDArray[np.float64]  # (n, d)

_C = 1.0
_LEAST, _MOST = 1e-6, 50.0  # times that a row counts
_ROWS_PER_SQUARE = 20  # with fewer rows for each feature, squares fit their noise


class Ratio(NamedTuple):
    """Density in the window over density in the reference."""

    weights: npt.NDArray[np.float64]  # of each row of the reference, (n,), of mean 1
    covered: (
        float  # which share of the window lies where the reference has rows: what the ratio's mean falls short of 1
    )

    @property
    def effective_rows(self) -> float:
        """How many rows of the window itself would tell as much (Kish, 1965), as far as it is covered."""
        return float(self.weights.sum() ** 2 / np.square(self.weights).sum()) * self.covered


def density_ratio(reference: Rows, window: Rows, go_on: GoOn = unheard) -> Ratio:
    """How to weigh the reference, (n, d), so that it looks like the window, (m, d).

    From the odds of logistic regression that tells the two apart (Bickel, Brückner and Scheffer, JMLR 2009), on
    features and, where there are rows enough, their squares: exact between normal distributions without correlations.
    No row counts more than fifty times. `go_on` is called with each of the many steps.
    """
    rows = torch.from_numpy(np.concatenate([reference, window]))
    middle, scale = scale_of(rows)
    rows = (rows - middle) / scale
    if len(rows) >= 2 * _ROWS_PER_SQUARE * rows.shape[1]:
        squares = rows.square()
        middle, scale = scale_of(squares)
        rows = torch.cat([rows, (squares - middle) / scale], dim=1)
    of_window = torch.arange(len(rows)) >= len(reference)
    odds = Logistic(rows, of_window, _C, go_on).margins(rows[: len(reference)])
    mean = float(torch.logsumexp(odds, dim=0).exp()) / len(window)
    weights = (odds - odds.max()).exp()
    weights = (weights / weights.mean()).clamp(_LEAST, _MOST)
    return Ratio(np.asarray((weights / weights.mean()).numpy()), min(mean, 1.0))
