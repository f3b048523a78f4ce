"""The best fixed period: a retraining at the beginning of every so many windows, tuned on the first of them."""

from __future__ import annotations

from benchmarks.policies.matrix import Matrix, bill
from benchmarks.policies.rivals.ruling import Ruling


def switches_of(period: int, windows: int) -> tuple[int, ...]:
    """All multiples of the period, in windows."""
    return tuple(range(period, windows, period))


def best_period(matrix: Matrix, price: float, learned: int) -> Ruling:
    """The least costly of all periods on the windows that may be learned from; of equal ones the longest, or never."""
    tried = [(0, ()), *((period, switches_of(period, learned)) for period in range(learned - 1, 0, -1))]
    period, _ = min(tried, key=lambda one: bill(matrix, one[1], price, 0, learned).cost)
    if not period:
        return Ruling((), {"windows": None})
    return Ruling(switches_of(period, matrix.windows), {"windows": period})
