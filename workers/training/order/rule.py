"""What a rule per epoch is asked, and what it answers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from workers.training.order.shuffled import Order

Losses = npt.NDArray[np.floating]  # (rows,); NaN for a row that was not learned from yet
Weights = npt.NDArray[np.float32]  # (m,)


class Epoch(NamedTuple):
    """What an epoch learns from."""

    order: Order  # m places in the training set, each once at most
    weights: Weights | None = None  # of the places in `order`, on top of the training set's own; None: all are 1


class EpochRule(Protocol):
    """Decides for one epoch after the other; knows nothing of those before but what their losses tell."""

    reads_losses: bool  # the rows' newest losses decide; and rows are weighted then

    def epoch(self, number: int, losses: Losses | None = None) -> Epoch:
        """What epoch `number`, from 0, learns from. `losses`: each row's newest, None before the first."""


def usable_rows(rows: int) -> int:
    """How many rows the training set has. Raises ValueError."""
    if rows < 1:
        raise ValueError(f"rows is {rows}; a training set has 1 row or more")
    return rows


def usable_number(number: int) -> int:
    """An epoch's number. Raises ValueError."""
    if number < 0:
        raise ValueError(f"epoch {number} is asked for; they are counted from 0")
    return number
