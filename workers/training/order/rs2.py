"""RS2: each epoch learns from another random share of the rows."""

from __future__ import annotations

import numpy as np

from workers.training.order.rule import Epoch, Losses, usable_number, usable_rows
from workers.training.order.shuffled import order_of


class RS2:
    """Repeated random sampling: Okanovic et al. (ICLR 2024).

    An epoch has share · rows of them, rounded, one at least, each once. With replacement the epochs are drawn
    independently. Without, the rows are shuffled and dealt out to one epoch after the other until all have been learned
    from, the last of these epochs getting what is left, then they are shuffled anew; so no row comes a second time
    before all have come. Either way the mean over an epoch's rows estimates that over all rows without bias, and
    weights are 1. Where the order goes by blocks, so does the draw: an epoch has whole blocks, but for the first and
    last of them.
    """

    reads_losses = False

    def __init__(self, rows: int, share: float, seed: int, *, replacement: bool, block_rows: int | None = None) -> None:
        """`block_rows`: rows of a block, where the order goes by these.

        Raises ValueError for a share that is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; an epoch learns from a share above 0, at most 1")
        self._rows, self._seed, self._replacement = usable_rows(rows), seed, replacement
        self._size = max(1, round(share * rows))
        self._block_rows = block_rows

    def epoch(self, number: int, losses: Losses | None = None) -> Epoch:
        """As EpochRule; of losses nothing is asked. O(rows) where the order is an index."""
        usable_number(number)
        if self._replacement:
            shuffle, start = number, 0
        else:
            a_pass = -(-self._rows // self._size)
            shuffle, start = number // a_pass, number % a_pass * self._size
        order = order_of(self._seed, shuffle, self._rows, self._block_rows)[start : start + self._size]
        return Epoch(order.copy() if isinstance(order, np.ndarray) else order)  # or all of it stays in memory
