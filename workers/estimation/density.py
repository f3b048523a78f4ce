"""How many times as often rows like these stand in the window: weights that make a reference look like it."""

from __future__ import annotations

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


def density_ratio(reference: Rows, window: Rows, go_on: GoOn = unheard) -> npt.NDArray[np.float64]:
    """A weight for each row of the reference: density in the window over density in the reference, of mean 1.

    (n, d), (m, d) → (n,). From the odds of logistic regression that tells the two apart (Bickel, Brückner and Scheffer,
    JMLR 2009), on features and, where there are rows enough, their squares: exact between normal distributions without
    correlations. Clipped, so that no few rows stand for all. `go_on` is called with each of the many steps.
    """
    rows = torch.from_numpy(np.concatenate([reference, window]))
    middle, scale = scale_of(rows)
    rows = (rows - middle) / scale
    if len(rows) >= 2 * _ROWS_PER_SQUARE * rows.shape[1]:
        squares = rows.square()
        middle, scale = scale_of(squares)
        rows = torch.cat([rows, (squares - middle) / scale], dim=1)
    of_window = torch.arange(len(rows)) >= len(reference)
    model = Logistic(rows, of_window, _C, go_on)
    odds = model.margins(rows[: len(reference)])
    weights = (odds - odds.max()).exp()
    weights = (weights / weights.mean()).clamp(_LEAST, _MOST).numpy()
    return np.asarray(weights / weights.mean())


def effective_rows(weights: npt.NDArray[np.float64]) -> float:
    """How many rows of equal weight would tell as much (Kish, 1965), (n,)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())
