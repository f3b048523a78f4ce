"""Squared distances of all pairs of rows, a block at a time: what they hold never grows with the pairs."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from workers.going_on import GoOn, unheard

_BLOCK = 512  # rows: its distances, 2 MiB, stay in the processor's cache
_CANCELS = 1e-5  # a squared distance below so much of the squared lengths has lost digits as a matrix product
_ROUNDING = 16 * torch.finfo(torch.float64).eps  # of a matrix product, as a share of the squared lengths
_UNSEEN = 1e-9  # as a share of what distances are compared with


class Pairs:
    """The pairs of N rows, float64 (N, d)."""

    def __init__(self, rows: torch.Tensor, go_on: GoOn = unheard) -> None:
        """`go_on`: called with each block."""
        self._go_on = go_on
        self.rows = rows - rows.mean(dim=0)  # an offset that all share would cost digits, or the time to save them
        self._squares = self.rows.square().sum(dim=1)  # (N,)
        self._careful = False

    def __len__(self) -> int:
        return len(self.rows) * (len(self.rows) - 1) // 2

    @property
    def farthest(self) -> float:
        """No squared distance is larger."""
        return 4 * float(self._squares.max())

    def be_careful(self, scale: float) -> bool:
        """Whether blocks must be, and from now on are, free of cancellation, to be compared with `scale`."""
        self._careful = _ROUNDING * float(self._squares.max()) > _UNSEEN * scale
        return self._careful

    def blocks(self) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        """Squared distances (rows of the first slice, rows of the second), until the next block is asked for.

        A pair stands in one block, once; those of a slice with itself hold each of their pairs twice, and zeros.
        """
        slices = [slice(first, min(first + _BLOCK, len(self.rows))) for first in range(0, len(self.rows), _BLOCK)]
        for number, one in enumerate(slices):
            for other in slices[number:]:
                self._go_on()
                block = self._block(one, other)
                if one == other:
                    block.fill_diagonal_(0)
                yield one, other, block

    def _block(self, one: slice, other: slice) -> torch.Tensor:
        """By one matrix product; where that has lost digits that are needed, by differences, thirty times slower."""
        lengths = self._squares[one, None] + self._squares[other]
        block = torch.addmm(lengths, self.rows[one], self.rows[other].T, alpha=-2).clamp_(min=0)
        if self._careful and bool((block < _CANCELS * lengths).any()):
            exact = "donot_use_mm_for_euclid_dist"
            return torch.cdist(self.rows[one], self.rows[other], compute_mode=exact).square_()
        return block

    def between(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Squared distances of the pairs of these rows, (k,), (k,) → (k,), by differences."""
        return (self.rows[one] - self.rows[other]).square().sum(dim=1)
