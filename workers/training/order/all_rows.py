"""Without a rule: each epoch learns from all rows, in an order of its own."""

from __future__ import annotations

from workers.training.order.rule import Epoch, Losses, usable_number, usable_rows
from workers.training.order.shuffled import order_of


class AllRows:
    """All rows, each once."""

    reads_losses = False

    def __init__(self, rows: int, seed: int, *, block_rows: int | None = None) -> None:
        """`block_rows`: rows of a block, where the order goes by these. Raises ValueError."""
        self._rows, self._seed, self._block_rows = usable_rows(rows), seed, block_rows

    def epoch(self, number: int, losses: Losses | None = None) -> Epoch:
        """As EpochRule; of losses nothing is asked."""
        return Epoch(order_of(self._seed, usable_number(number), self._rows, self._block_rows))
