"""CRAIG: rows with weights, such that every row's gradient is near that of the picked row which stands for it."""

from __future__ import annotations

from torch import Tensor

from workers.going_on import GoOn, unheard
from workers.selection.coreset.exact import TIE
from workers.selection.coreset.facility_location import best_cover
from workers.selection.coreset.inputs import usable_count, usable_rows
from workers.selection.coreset.likeness import Similarity


def craig(features: Tensor, k: int, *, go_on: GoOn = unheard) -> tuple[Tensor, Tensor]:
    """Facility location on max(D) − D + 1e-3, D the euclidean distances: (n, d) → indices and weights, (≤ k,).

    Indices come in the order picked. A weight is the number of rows that the picked row is nearest to, itself among
    them, so they sum to n; a row as near to several counts for that of the smallest index. A picked row that no row
    counts for, as it equals another, is dropped. Weights have the features' type. Features: gradients, or what stands
    for them. `go_on` is called with every few rows. Raises ValueError.

    O(n²·d) operations for the distances, then as `facility_location`; memory: n² numbers of float64.
    Mirzasoleiman, Bilmes and Leskovec (ICML 2020).
    """
    rows = usable_rows(features, "features")
    k = usable_count(k, len(rows))
    similarity = Similarity(rows, go_on)
    alike = similarity.bounds()
    picked = best_cover(alike, similarity.least, similarity.lines, k, go_on)
    ascending, order = picked.sort()
    to_picked = alike[ascending]
    nearest = order[(to_picked >= to_picked.amax(dim=0) - TIE * alike.max()).byte().argmax(dim=0)]
    weights = nearest.bincount(minlength=k)
    kept = weights > 0
    return picked[kept], weights[kept].to(rows.dtype)
