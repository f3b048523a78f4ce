"""Which row is farthest from all that were picked: by bounds, and by exact distances where they leave doubt."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.selection.coreset.exact import NEAR_NUMBERS, NUMBERS_AT_ONCE, TIE, distances, first_largest

_CANDIDATES = 256
_PICKS_AT_ONCE = 128  # before all rows are compared
_MANY_COLUMNS = 4096  # for float32: its error grows with them


class FarRows:
    """Picks one farthest row after the other.

    Distances to the nearest pick only shrink, so a bound once found stays one. Hence the next picks can be found among
    a few candidates, with the largest bounds, for as long as one of them is surely farther than all others can be. Only
    then are the others compared with the new picks, all at once. They may be in float32; the candidates are in float64,
    so only ties need exact distances.
    """

    def __init__(self, rows: Tensor, mean: Tensor, first: int) -> None:
        self.picked = [first]
        self._exact = ExactDistances(rows)
        away = rows.double() - mean
        away /= away.abs().max().clamp(min=torch.finfo(away.dtype).tiny)
        self._fine = Bounds(away)
        few = rows.dtype == torch.float32 and rows.shape[1] <= _MANY_COLUMNS
        self._coarse = Bounds(away.float()) if few else self._fine
        self._upper = torch.full((len(rows),), torch.inf, dtype=self._coarse.rows.dtype, device=rows.device)
        self._compared = 0  # of the picks: `_upper` knows so many
        self._size = min(_CANDIDATES, len(rows))

    def pick(self, most: int) -> None:
        """At least one more row, and as many as the candidates are sure of."""
        self._compare_all()
        before = len(self.picked)
        while len(self.picked) == before:
            self._among_candidates(min(most, _PICKS_AT_ONCE))
            size = self._size * 2 if len(self.picked) == before else max(_CANDIDATES, self._size // 2)
            self._size = min(size, len(self._upper))

    def _compare_all(self) -> None:
        """Every row with the picks that it has not been compared with."""
        new = torch.tensor(self.picked[self._compared :], device=self._upper.device)
        torch.minimum(self._upper, self._coarse.upper(self._coarse.of(new)), out=self._upper)
        self._upper[new] = -torch.inf
        self._compared = len(self.picked)

    def _among_candidates(self, most: int) -> None:
        """Pick the farthest row for as long as it must be a candidate."""
        largest = self._upper.topk(min(self._size + 1, len(self._upper)))
        beyond = float(largest.values[-1]) if self._size < len(self._upper) else -torch.inf
        candidates = largest.indices[: self._size].sort().values
        fine = self._fine.of(candidates)
        upper = fine.upper(self._fine.of(torch.tensor(self.picked, device=candidates.device)))
        upper[self._upper[candidates] == -torch.inf] = -torch.inf
        less = float(fine.less[upper > -torch.inf].max())
        for _ in range(most):
            (largest, second), (first, _) = (two.tolist() for two in upper.topk(2))
            surely = (largest * fine.shrinks - less) * (1 - 4 * TIE)
            if beyond >= surely:
                return
            if second >= surely:
                at = (upper >= surely).nonzero()[:, 0]
                place, distance = self._exact.farthest(candidates[at], self.picked)
                if distance == 0:
                    self._pick_equal_rows(most)
                    return
                first = int(at[place])
            self.picked.append(int(candidates[first]))
            torch.minimum(upper, fine.upper_to(first), out=upper)
            upper[first] = -torch.inf
            most -= 1

    def _pick_equal_rows(self, most: int) -> None:
        """All that is left equals rows that were picked."""
        left = torch.ones(len(self._upper), dtype=torch.bool, device=self._upper.device)
        left[self.picked] = False
        self.picked += left.nonzero()[:most, 0].tolist()


class Bounds:
    """Of squared distances, from ‖x − c‖² = ‖x‖² + ‖c‖² − 2 x·c, which products of matrices give quickly.

    That is wrong by at most γ (‖x‖² + ‖c‖²), so with as much added it is an upper bound. Rows are near 0, in a unit in
    which the largest number is 1.
    """

    def __init__(self, rows: Tensor, squares: Tensor | None = None) -> None:
        self.rows = rows
        self._squares = (rows * rows).sum(dim=1) if squares is None else squares
        kind = torch.finfo(rows.dtype)
        wrong = 2 * (rows.shape[1] + 8) * kind.eps  # γ, generously
        least = 4 * (rows.shape[1] + 8) * kind.tiny  # what products lose that are too small to be written
        self._larger = self._squares * (1 + wrong) + least
        # From an upper bound to a lower one: the nearest pick's ‖c‖² is at most 2 ‖x‖² and twice the squared distance.
        self.shrinks, self.less = 1 - 4 * wrong, self._squares * (6 * wrong) + 4 * least

    def of(self, some: Tensor) -> Bounds:
        """Those of some rows, by their indices."""
        return Bounds(self.rows[some], self._squares[some])

    def upper(self, centers: Bounds) -> Tensor:
        """Of each row, to the nearest of centers: (n,)."""
        found = torch.empty_like(self._squares)
        at_once = max(1, NEAR_NUMBERS // len(centers.rows))
        for start in range(0, len(found), at_once):
            part = slice(start, start + at_once)
            bounds = torch.addmm(centers._larger[:, None], centers.rows, self.rows[part].T, alpha=-2)
            torch.amin(bounds, dim=0, out=found[part])
        return found.add_(self._larger)

    def upper_to(self, center: int) -> Tensor:
        """Of each row, to one of them: (n,)."""
        return torch.addmv(self._larger + self._larger[center], self.rows, self.rows[center], alpha=-2)


class ExactDistances:
    """Of rows to the nearest pick, found when asked for and remembered."""

    def __init__(self, rows: Tensor) -> None:
        self._rows = rows
        self._nearest = torch.full((len(rows),), torch.inf, dtype=torch.float64, device=rows.device)
        self._compared = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)  # with so many picks

    def farthest(self, asked: Tensor, picked: list[int]) -> tuple[int, float]:
        """Which of these rows, by its place among them, the first of several; and the largest distance."""
        compared = self._compared[asked]
        for since in compared.unique().tolist():
            if since < len(picked):
                self._compare(asked[compared == since], picked[since:])
        self._compared[asked] = len(picked)
        nearest = self._nearest[asked]
        largest = float(nearest.max())
        return first_largest(nearest, largest), largest

    def _compare(self, some: Tensor, picked: list[int]) -> None:
        others = self._rows[picked]
        for part in some.split(max(1, NUMBERS_AT_ONCE // (len(picked) + self._rows.shape[1]))):
            nearest = distances(self._rows[part], others).amin(dim=1)
            self._nearest[part] = torch.minimum(self._nearest[part], nearest)
