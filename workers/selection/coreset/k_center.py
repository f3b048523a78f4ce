"""k-center: rows such that none is far from all that were picked."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import first_nearest
from workers.selection.coreset.far_rows import FarRows
from workers.selection.coreset.inputs import usable_count, usable_index, usable_rows


def k_center(features: Tensor, k: int, first: int | None = None, *, go_on: GoOn = unheard) -> Tensor:
    """Next is always the row farthest from the nearest one picked; (n, d) → indices (k,) in the order picked.

    `first`: the row to begin with; None: the one nearest to the mean of all. Distances are euclidean, in the features'
    units. Where all that is left equals rows that were picked, the smallest indices follow. `go_on` is called
    with every few picks. Raises ValueError.

    O(n·d·k) operations, most of them in products of matrices; memory O(n·d). The greedy rule is that of Gonzalez
    (Theoretical Computer Science 38, 1985); Sener and Savarese (ICLR 2018) choose training rows by it.
    """
    rows = usable_rows(features, "features")
    k = usable_count(k, len(rows))
    mean = rows.double().mean(dim=0)
    begin = first_nearest(rows, mean, float(mean.norm())) if first is None else usable_index(first, len(rows), "first")
    far = FarRows(rows, mean, begin)
    while len(far.picked) < k:
        go_on()
        far.pick(k - len(far.picked))
    return torch.tensor(far.picked, device=rows.device)
