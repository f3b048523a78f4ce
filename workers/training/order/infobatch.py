"""InfoBatch: rows of low loss are left out at random, and those of them that stay count for more."""

from __future__ import annotations

import math

import numpy as np

from workers.training.order.rule import Epoch, Losses, usable_number, usable_rows
from workers.training.order.shuffled import sample_order

_SEEDS = 2**63
_LEFT_OUT = 1  # so that who is left out is drawn apart from the order, which is of seed and epoch alone
_ROUNDING = 1e-9  # of a product of epochs and a share that should be whole


class InfoBatch:
    """Unbiased dynamic pruning: Qin et al. (ICLR 2024).

    A row whose newest loss is below the mean of all is left out of an epoch with probability `left_out`, each by
    itself; those of them that stay get the weight 1/(1 − left_out), all others 1. So the *sum* over an epoch's rows of
    weight × gradient estimates that over all rows without bias; a batch's mean is that of fewer rows, and larger by
    rows/m on average, as in the paper. Rows without a loss yet stay. The last `whole` share of the epochs, rounded up,
    learns from all rows, which takes away what is left of the variance.
    """

    reads_losses = True

    def __init__(self, rows: int, epochs: int, seed: int, *, left_out: float = 0.5, whole: float = 0.125) -> None:
        """The paper's r is `left_out`, its δ is 1 − `whole`; the defaults are its own. Raises ValueError."""
        if not 0 <= left_out < 1:
            raise ValueError(f"left_out is {left_out}; it is a probability from 0 on, below 1")
        if not 0 <= whole <= 1:
            raise ValueError(f"whole is {whole}; it is a share of the epochs, 0 to 1")
        self._rows, self._seed, self._left_out = usable_rows(rows), seed, left_out
        self._prunes_until = epochs - math.ceil(whole * epochs - _ROUNDING)

    @property
    def prunes(self) -> bool:
        """Whether rows are left out of any epoch: the first one knows no losses, and the last ones have all rows."""
        return self._prunes_until > 1 and self._left_out > 0

    def epoch(self, number: int, losses: Losses | None = None) -> Epoch:
        """As EpochRule. O(rows). Raises ValueError for losses of another length, or infinite ones."""
        order = sample_order(self._seed, usable_number(number), self._rows)
        if (
            number >= self._prunes_until
            or losses is None
            or not (known := ~np.isnan(_usable(losses, self._rows))).any()
        ):
            return Epoch(order)
        low = losses < losses[known].mean(dtype=np.float64)
        draws = np.random.Generator(np.random.PCG64([self._seed % _SEEDS, number, _LEFT_OUT])).random(self._rows)
        order = order[~(low & (draws < self._left_out))[order]]
        weights = np.where(low[order], 1 / (1 - self._left_out), 1).astype(np.float32)
        return Epoch(order, weights)


def _usable(losses: Losses, rows: int) -> Losses:
    if losses.shape != (rows,):
        raise ValueError(f"losses have shape {losses.shape}; there is one a row, ({rows},)")
    if (strange := np.flatnonzero(np.isinf(losses))).size:
        raise ValueError(
            f"the loss at {strange[0]} is {losses[strange[0]]}; a loss is a finite number, or NaN for none"
        )
    return losses
