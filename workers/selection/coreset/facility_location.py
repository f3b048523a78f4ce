"""Facility location: rows such that every row is like one that was picked."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NUMBERS_AT_ONCE, first_largest, summed
from workers.selection.coreset.inputs import usable_count, usable_square

_AT_FIRST = 16  # rows whose gains are found anew together


def facility_location(similarity: Tensor, k: int, *, go_on: GoOn = unheard) -> Tensor:
    """Greedy on Σᵢ max over picked j of s_ij; (n, n) → indices (k,) in the order picked.

    s_ij: how well column j, if picked, stands for row i, in any unit; it need not be symmetric, and may be negative.
    `go_on` is called with every few gains. Raises ValueError.

    Lazily (Minoux, 1978): O(n²) operations at first, then some n for each gain that is found anew, in the worst case
    O(n²·k); memory: a copy of the matrix. Greedy is within 1 − 1/e of the best (Nemhauser, Wolsey and Fisher,
    Mathematical Programming 14, 1978).
    """
    columns = usable_square(similarity, "similarity").T.contiguous()
    k = usable_count(k, len(columns))
    return best_cover(columns, k, go_on)


def best_cover(columns: Tensor, k: int, go_on: GoOn = unheard) -> Tensor:
    """As `facility_location`, of the transposed matrix: line j has how well j stands for each row. (n, n) → (k,)."""
    cover = _Cover(columns, go_on)
    return torch.tensor([cover.pick(turn) for turn in range(1, k + 1)], device=columns.device)


class _Cover:
    """How well each row is stood for so far, and the most that one more row can add.

    A row's gain never grows: each of its terms shrinks, and a sum in a fixed order does as well, to the last bit. So a
    gain of an earlier turn is a bound, and only rows on top need a new one. Ties are many: of two rows that are each
    other's nearest, and near to no other, both add the same.
    """

    def __init__(self, columns: Tensor, go_on: GoOn) -> None:
        self._columns, self._go_on = columns, go_on
        # What any row gives at least is no gain, and taking it away changes no comparison.
        self._covered = columns.amin(dim=0).double()
        self._size = max(abs(float(one)) for one in torch.aminmax(columns))
        bounds = columns.sum(dim=1).double() - self._covered.sum()
        self._gains = bounds + len(columns) ** 2 * torch.finfo(columns.dtype).eps * self._size
        self._turn = torch.zeros(len(columns), dtype=torch.int64, device=columns.device)  # that a gain is of

    def _gain(self, rows: Tensor) -> Tensor:
        """What these add, (m,)."""
        parts = rows.split(max(1, NUMBERS_AT_ONCE // len(self._columns)))
        found = []
        for some in parts:
            self._go_on()
            found.append(summed((self._columns[some] - self._covered).clamp_(min=0).T))
        return torch.cat(found)

    def pick(self, turn: int) -> int:
        """The row that adds most; turns count from 1."""
        self._go_on()
        many = _AT_FIRST
        while True:
            best = int(self._gains.argmax())
            most = float(self._gains[best])
            first = first_largest(self._gains, most + self._size / 1024)
            if most == 0 or (self._turn[best] == turn and self._turn[first] == turn):
                break
            asked = self._gains.topk(min(many, len(self._gains))).indices
            asked = torch.cat([asked, asked.new_tensor([best, first])]).unique()
            old = asked[(self._turn[asked] != turn) & (self._gains[asked] >= 0)]  # those of picks are −∞
            self._gains[old] = self._gain(old)
            self._turn[old] = turn
            many *= 2
        best = best if most == 0 else first
        self._gains[best] = -torch.inf
        torch.maximum(self._covered, self._columns[best].double(), out=self._covered)
        return best
