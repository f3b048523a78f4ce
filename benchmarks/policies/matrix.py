"""What each model of a grid loses in each window, and what it costs to change between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]


class Matrix(NamedTuple):
    """Model w is made at the beginning of window w, of the rows before it, and may serve from that window on."""

    losses: Floats  # [model, window], (windows, windows): summed over the rows of the window; 0 before the model's own
    rows: Wholes  # [window]

    @property
    def windows(self) -> int:
        """How many there are; and so many models."""
        return len(self.rows)

    def first(self, windows: int) -> Matrix:
        """What is known once so many windows are over."""
        return Matrix(self.losses[:windows, :windows], self.rows[:windows])


class Bill(NamedTuple):
    """What a stretch of windows came to."""

    trainings: int  # those paid for
    loss: float
    cost: float


def in_use(switches: Sequence[int], windows: int) -> Wholes:
    """The model that serves each window, (windows,): that of the newest switch, and model 0 before any."""
    models = np.zeros(windows, np.int64)
    models[list(switches)] = list(switches)
    return np.maximum.accumulate(models)


def bill(matrix: Matrix, switches: Sequence[int], price: float, first: int, stop: int) -> Bill:
    """Of the windows first ≤ w < stop. The model of the first of them was there before, and is not paid for."""
    models = in_use([one for one in switches if one < matrix.windows], matrix.windows)[first:stop]
    loss = float(matrix.losses[models, np.arange(first, stop)].sum())
    trainings = sum(first < one < stop for one in switches)
    return Bill(trainings, loss, price * trainings + loss)
