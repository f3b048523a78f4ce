"""RS2: each epoch learns from another random share of the rows."""

from __future__ import annotations

from workers.training.order.rule import Epoch, Losses, usable_number, usable_rows
from workers.training.order.shuffled import sample_order


class RS2:
    """Repeated random sampling: Okanovic et al. (ICLR 2024).

    An epoch has share · rows of them, rounded, one at least, each once. With replacement the epochs are drawn
    independently. Without, the rows are shuffled and dealt out to one epoch after the other until all have been learned
    from, the last of these epochs getting what is left, then they are shuffled anew; so no row comes a second time
    before all have come. Either way the mean over an epoch's rows estimates that over all rows without bias, and
    weights are 1.
    """

    def __init__(self, rows: int, share: float, seed: int, *, replacement: bool) -> None:
        """Raises ValueError for a share that is not above 0 and at most 1."""
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; an epoch learns from a share above 0, at most 1")
        self._rows, self._seed, self._replacement = usable_rows(rows), seed, replacement
        self._size = max(1, round(share * rows))

    def epoch(self, number: int, losses: Losses | None = None) -> Epoch:
        """As EpochRule; of losses nothing is asked. O(rows)."""
        usable_number(number)
        if self._replacement:
            shuffle, start = number, 0
        else:
            a_pass = -(-self._rows // self._size)
            shuffle, start = number // a_pass, number % a_pass * self._size
        order = sample_order(self._seed, shuffle, self._rows).numpy()
        return Epoch(order[start : start + self._size].copy(), None)
