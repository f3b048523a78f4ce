"""Graph cut: rows that are like all, and unlike each other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import NUMBERS_AT_ONCE, first_largest, summed
from workers.selection.coreset.inputs import usable_count, usable_number, usable_square


def graph_cut(similarity: Tensor, k: int, trade_off: float, *, go_on: GoOn = unheard) -> Tensor:
    """Greedy on Σ s_ij over all i and picked j, less trade_off · Σ s_ij over picked i and j, i = j among them.

    (n, n) → indices (k,) in the order picked, always k, also where a row takes more away than it adds. The matrix need
    not be symmetric. `trade_off`: without unit; from .5 on a row more may make the value smaller. `go_on` is called
    with every few sums. Raises ValueError.

    O(n² + n·k) operations, memory O(n). The function is that of Iyer, Khargonkar, Bilmes and Asnani (ALT 2021).
    """
    matrix = usable_square(similarity, "similarity")
    k = usable_count(k, len(matrix))
    trade_off = usable_number(trade_off, "trade_off")
    at_once = max(1, NUMBERS_AT_ONCE // len(matrix))
    sums = []
    for part in matrix.split(at_once, dim=1):
        go_on()
        sums.append(summed(part.to(torch.float64, copy=True)))
    alike = torch.cat(sums)
    return cut_off(
        alike, matrix.diagonal(), lambda row: matrix[row].double() + matrix[:, row].double(), k, trade_off, go_on
    )


def cut_off(
    alike: Tensor, itself: Tensor, both_ways: Callable[[int], Tensor], k: int, trade_off: float, go_on: GoOn
) -> Tensor:
    """As `graph_cut`: each row's likeness, summed over all rows, (n,), and to itself, (n,).

    `both_ways`: of all rows to one, and of that one to them, summed: (n,), float64.
    """
    size = float(alike.abs().max())
    each_other = itself.double()  # what a row's likeness to picked rows, both ways, and to itself comes to
    gone = torch.zeros_like(alike, dtype=torch.bool)
    picked = []
    for _ in range(k):
        go_on()
        gains = (alike - trade_off * each_other).masked_fill_(gone, -torch.inf)
        picked.append(best := first_largest(gains, size))
        gone[best] = True
        each_other = each_other + both_ways(best)
    return torch.tensor(picked, device=alike.device)
