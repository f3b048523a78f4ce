"""How alike rows are, from how far they are from each other: what coresets need that compare all rows with all.

Differences of all pairs take n²·d operations one by one, and products of matrices, which are many times as quick, are
wrong in their last bits, by how much depends on where rows lie. So products only say what surely does not matter, or
what is added up over all rows; what decides, and lines of rows that were picked, are found from differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NUMBERS_AT_ONCE, distances

_LEAST = 1e-3  # similarity of the two rows farthest apart
_SOME = 1_000  # rows: the median of their half a million distances is that of all, to a percent or so
_NEAR = 2**-12  # share of both rows' squares below which too much of a squared distance would be rounding


class Similarity:
    """max(D) − D + 1e-3, D the euclidean distance of each row to each, (n, n), float64; symmetric. That of CRAIG."""

    least = _LEAST  # of all, but for rounding

    def __init__(self, rows: Tensor, go_on: GoOn = unheard) -> None:
        """Rows (n, d). `go_on` is called with every few of them."""
        self._rows, self._go_on = rows.double(), go_on
        self._largest = 0.0

    def bounds(self) -> Tensor:
        """No less than the similarity, (n, n), to the last bit. O(n²·d) operations, in products of matrices."""
        far = self._rows.new_empty(len(self._rows), len(self._rows))
        error = _Squares(self._rows).at_least(far, self._go_on)
        self._largest = self._largest_of(far, float(far.max()) - error)
        far.clamp_(min=0).sqrt_().fill_diagonal_(0)
        return self._of(far)

    def sums(self) -> Tensor:
        """Of each row's similarity to all, (n,), to 1e-13 of the largest or so. As many operations."""
        sums, most = [], -torch.inf
        for first, squares in _Squares(self._rows).nearly(self._go_on):
            if float(squares.max()) > most:
                most = float(squares.max())
                self._far_apart(first * len(self._rows) + int(squares.argmax()))
            sums.append(squares.sqrt_().sum(dim=1))
        return len(self._rows) * (self._largest + _LEAST) - torch.cat(sums)

    def lines(self, rows: Tensor) -> Tensor:
        """Of these rows to all, (m,) → (m, n): from differences. Once `bounds` or `sums` know the largest distance."""
        return self._of(distances(self._rows[rows], self._rows))

    def _largest_of(self, squares: Tensor, least: float) -> float:
        """The largest distance, of pairs whose square is said to be no less than that."""
        largest = torch.zeros((), dtype=squares.dtype, device=squares.device)
        for first in range(0, len(squares), at_once := max(1, NUMBERS_AT_ONCE // len(squares))):
            self._go_on()
            pairs = (squares[first : first + at_once] >= least).nonzero()
            for some in pairs.split(max(1, NUMBERS_AT_ONCE // self._rows.shape[1])):
                lines, others = some.unbind(dim=1)
                apart = distances(self._rows[first + lines, None], self._rows[others, None])
                largest = torch.maximum(largest, apart.max()) if len(some) else largest
        return float(largest)

    def _far_apart(self, place: int) -> None:
        """The pair at this place of the matrix is the farthest."""
        one, other = divmod(place, len(self._rows))
        self._largest = float(distances(self._rows[one : one + 1], self._rows[other : other + 1]))

    def _of(self, far: Tensor) -> Tensor:
        return far.neg_().add_(self._largest).add_(_LEAST)


class _Squares:
    """Squared distances from ‖x − y‖² = ‖x‖² + ‖y‖² − 2 x·y, some lines after the other, of rows about their mean."""

    def __init__(self, rows: Tensor) -> None:
        self._given, self._rows = rows, rows - rows.mean(dim=0)
        self._squares = (self._rows * self._rows).sum(dim=1)
        self._parts = torch.arange(len(rows), device=rows.device).split(max(1, NUMBERS_AT_ONCE // len(rows)))

    def at_least(self, into: Tensor, go_on: GoOn) -> float:
        """Each less all that may be rounding, here or in `distances`: (n, n), perhaps below 0. What it is at most."""
        kind = torch.finfo(self._rows.dtype)
        errors = 4 * (self._rows.shape[1] + 8)
        smaller = self._squares * (1 - errors * kind.eps) - errors * kind.tiny
        for part in self._parts:
            go_on()
            torch.addmm(smaller, self._rows[part], self._rows.T, alpha=-2, out=into[part[0] : part[-1] + 1])
            into[part[0] : part[-1] + 1].add_(smaller[part, None])
        return 4 * errors * (float(self._squares.max()) * kind.eps + kind.tiny)

    def nearly(self, go_on: GoOn) -> Iterator[tuple[int, Tensor]]:
        """The first row, and lines (m, n) of this one and those that follow: those of near rows from differences."""
        for part in self._parts:
            go_on()
            both = self._squares[part, None] + self._squares
            found = torch.addmm(both, self._rows[part], self._rows.T, alpha=-2)
            near = (found <= both * _NEAR).nonzero()
            for some in near.split(max(1, NUMBERS_AT_ONCE // self._rows.shape[1])):
                lines, others = some.unbind(dim=1)
                apart = self._given[part[lines]] - self._given[others]
                found[lines, others] = apart.square_().sum(dim=1)
            yield int(part[0]), found


def gaussian_kernel(rows: Tensor) -> Callable[[Tensor], Tensor]:
    """exp(−D² / m), m the median of D² over the distinct pairs of rows: lines of a matrix, of rows (m,) → (m, n).

    So half of all pairs are more alike than 1/e. Of more than 1,000 rows the median is that of 1,000 at even steps.
    Where it is 0, as most rows are equal, the kernel is its limit: 1 for equal rows, else 0. O(n·d) operations a line,
    float64; the matrix is symmetric, with 1 on its diagonal.
    """
    rows, middle = rows.double(), _median_square(rows)

    def lines(asked: Tensor) -> Tensor:
        far = distances(rows[asked], rows)
        return (far == 0).double() if middle == 0 else far.square_().div_(-middle).exp_()

    return lines


def _median_square(rows: Tensor) -> float:
    """The mean of both middle ones where the number of pairs is even; 0 for a single row."""
    few = min(len(rows), _SOME)
    some = rows[torch.arange(few, device=rows.device) * len(rows) // few]
    first, second = torch.triu_indices(few, few, offset=1, device=rows.device)
    squares = distances(some, some)[first, second].square().sort().values
    if len(squares) == 0:
        return 0.0
    return float(squares[(len(squares) - 1) // 2] + squares[len(squares) // 2]) / 2
