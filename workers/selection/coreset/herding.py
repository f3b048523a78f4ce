"""Herding: rows whose mean comes near that of all."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import TIE, first_nearest
from workers.selection.coreset.inputs import usable_count, usable_rows


def herding(features: Tensor, k: int, *, go_on: GoOn = unheard) -> Tensor:
    """Next is the row that brings the mean of the picked nearest to the mean of all; (n, d) → indices (k,), as picked.

    Distances are euclidean, in the features' units. `go_on` is called with each pick. Raises ValueError.

    O(n·d·k) operations, memory O(n·d). Welling (ICML 2009); iCaRL (Rebuffi, Kolesnikov, Sperl and Lampert, CVPR 2017)
    keeps memories by it.
    """
    rows = usable_rows(features, "features")
    k = usable_count(k, len(rows))
    rows = rows.double()
    mean = rows.mean(dim=0)
    rows = rows - mean  # so the mean to come near is 0
    away = float(mean.norm())  # whose rounding is in each row
    squares = (rows * rows).sum(dim=1)
    wrong = 4 * max((rows.shape[1] + 8) * torch.finfo(rows.dtype).eps, TIE)
    total = torch.zeros_like(rows[0])  # of the picked: the next one cancels it best
    picked: list[int] = []
    for _ in range(k):
        go_on()
        apart = torch.addmv(squares, rows, total, alpha=2)  # ‖x + total‖², less ‖total‖²
        apart[picked] = torch.inf
        size = float(squares.max() + total @ total) ** 0.5
        near = (apart <= apart.min() + wrong * size * (size + away)).nonzero()[:, 0]
        picked.append(best := int(near[first_nearest(rows[near], -total, size + away) if len(near) > 1 else 0]))
        total += rows[best]
    return torch.tensor(picked, device=rows.device)
