"""Facility location: rows such that every row is like one that was picked."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NEAR_NUMBERS, TIE, summed
from workers.selection.coreset.inputs import usable_count, usable_square

_AT_FIRST = 16  # rows whose gains are found anew together
_NEVER_AGAIN = torch.iinfo(torch.int64).max  # no turn is later
_SIDE = 512


def facility_location(similarity: Tensor, k: int, *, go_on: GoOn = unheard) -> Tensor:
    """Greedy on Σᵢ max over picked j of s_ij; (n, n) → indices (k,) in the order picked.

    s_ij: how well column j, if picked, stands for row i, in any unit; it need not be symmetric, and may be negative.
    `go_on` is called with every few gains. Raises ValueError.

    Lazily (Minoux, 1978): O(n²) operations at first, then some n for each gain that is found anew, in the worst case
    O(n²·k); memory: a copy of the matrix, unless it is symmetric. Greedy is within 1 − 1/e of the best
    (Nemhauser, Wolsey and Fisher, Mathematical Programming 14, 1978).
    """
    matrix = usable_square(similarity, "similarity")
    k = usable_count(k, len(matrix))
    columns = matrix.contiguous() if _is_symmetric(matrix) else matrix.T.contiguous()
    # What any row gives at least is no gain, and taking it away changes no comparison.
    return _picked(_Cover(columns, columns.amin(dim=0).double(), None, go_on), k)


def _is_symmetric(matrix: Tensor) -> bool:
    """Square by square, as one of each is near: a quarter of the time that a transposed copy takes."""
    starts = range(0, len(matrix), _SIDE)
    squares = ((slice(i, i + _SIDE), slice(j, j + _SIDE)) for i in starts for j in starts if j <= i)
    return all(torch.equal(matrix[lines, columns], matrix[columns, lines].T) for lines, columns in squares)


def best_cover(
    bounds: Tensor, least: float, lines: Callable[[Tensor], Tensor], k: int, go_on: GoOn = unheard
) -> Tensor:
    """As `facility_location`, where line j of `bounds`, (n, n), has at least how well j stands for each row.

    `lines` gives some as they are, (m,) → (m, n), float64; `least`: no number in them is less. They are asked for where
    bounds leave doubt, and of all that are picked, and stand in `bounds` then.
    """
    return _picked(_Cover(bounds, torch.full_like(bounds[0], least), lines, go_on), k)


def _picked(cover: _Cover, k: int) -> Tensor:
    picked = [cover.pick(turn) for turn in range(1, k + 1)]
    cover.make_sure(found := torch.tensor(picked, device=cover.device))
    return found


class _Cover:
    """How well each row is stood for so far, and the most that one more row can add.

    A row's gain never grows: each of its terms shrinks, and a sum in a fixed order does as well, to the last bit. So a
    gain of an earlier turn is a bound, as is one of a line of bounds; only rows on top need a new one, and their own
    line. Ties are many: of two rows that are each other's nearest, and near to no other, both add the same.
    """

    def __init__(self, columns: Tensor, covered: Tensor, lines: Callable[[Tensor], Tensor] | None, go_on: GoOn) -> None:
        self._columns, self._covered, self._lines, self._go_on = columns, covered, lines, go_on
        self.device = columns.device
        go_on()
        self._size = max(abs(float(one)) for one in torch.aminmax(columns))
        go_on()
        bounds = columns.sum(dim=1).double() - self._covered.sum()
        self._gains = bounds + len(columns) ** 2 * torch.finfo(columns.dtype).eps * self._size
        self._turn = torch.zeros(len(columns), dtype=torch.int64, device=columns.device)  # that a gain is of
        self._sure = torch.full_like(self._turn, lines is None, dtype=torch.bool)  # lines that are no bounds
        # Room for what some rows add to each: memory that is new for each sum would cost more than the sum.
        self._room = columns.new_empty(max(1, NEAR_NUMBERS // len(columns)), len(columns))
        self._more = torch.empty_like(self._room, dtype=torch.float64)

    def make_sure(self, rows: Tensor) -> None:
        """The lines of these rows are no bounds any more."""
        if self._lines is None:
            return
        for some in rows[~self._sure[rows]].unique().split(len(self._room)):
            self._go_on()
            self._columns[some] = self._lines(some)
            self._sure[some] = True

    def pick(self, turn: int) -> int:
        """The row that adds most; turns count from 1."""
        self._go_on()
        many = _AT_FIRST
        while True:
            best = int(self._gains.argmax())
            most = float(self._gains[best])
            if most == 0:
                break
            doubt = TIE * (most + self._size / 1024)
            first = int((self._gains >= most - doubt).nonzero()[0, 0])
            if self._is_settled(best, turn) and self._is_settled(first, turn):
                best = first
                break
            self._ask([best, first], many, turn, doubt)
            many *= 2
        self._gains[best] = -torch.inf
        self._turn[best] = _NEVER_AGAIN
        torch.maximum(self._covered, self._columns[best].double(), out=self._covered)
        return best

    def _is_settled(self, row: int, turn: int) -> bool:
        return bool(self._turn[row] == turn) and bool(self._sure[row])

    def _ask(self, rows: list[int], many: int, turn: int, doubt: float) -> None:
        """Find the gains anew of these and of those on top, as far as they are of an earlier turn, or may be best."""
        top = self._gains.topk(min(many, len(self._gains))).indices
        asked = torch.cat([top, top.new_tensor(rows)])
        old = self._turn[asked] < turn
        if not old[-len(rows) :].any():  # so they are bounds
            gains, sure = self._gains[asked], self._sure[asked]
            known = float(gains.where(sure & ~old, -torch.inf).max())  # or none but picked ones are sure
            old = ~old & ~sure & (gains >= (known if known > -torch.inf else gains.max()) - doubt)
            self.make_sure(asked[old])
        self._gains[asked[old]] = self._gain(asked[old])
        self._turn[asked[old]] = turn

    def _gain(self, rows: Tensor) -> Tensor:
        """What these add, (m,)."""
        return torch.cat([self._gain_at_once(some) for some in rows.split(len(self._room))])

    def _gain_at_once(self, rows: Tensor) -> Tensor:
        self._go_on()
        there = torch.index_select(self._columns, 0, rows, out=self._room[: len(rows)])
        more = self._more[: len(rows)].copy_(there).sub_(self._covered).clamp_(min=0)
        return summed(more.T).clone()
