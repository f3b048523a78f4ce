"""CRAIG: rows with weights, such that every row's gradient is near that of the picked row which stands for it."""

from __future__ import annotations

import torch
from torch import Tensor

from workers.selection.coreset.exact import NUMBERS_AT_ONCE, TIE, distances
from workers.selection.coreset.facility_location import best_cover
from workers.selection.coreset.inputs import usable_count, usable_rows

_LEAST = 1e-3  # similarity of the two rows farthest apart


def craig(features: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Facility location on max(D) − D + 1e-3, D the euclidean distances: (n, d) → indices and weights, (≤ k,).

    Indices come in the order picked. A weight is the number of rows that the picked row is nearest to, itself among
    them, so they sum to n; a row as near to several counts for that of the smallest index. A picked row that no row
    counts for, as it equals another, is dropped. Weights have the features' type. Features: gradients, or what stands
    for them. Raises ValueError.

    O(n²·d) operations for the distances, then as `facility_location`; memory: n² numbers of float64.
    Mirzasoleiman, Bilmes and Leskovec (ICML 2020).
    """
    rows = usable_rows(features, "features")
    k = usable_count(k, len(rows))
    similarity = _similarity(rows)
    picked = best_cover(similarity, k)
    ascending, order = picked.sort()
    to_picked = similarity[ascending]
    nearest = order[(to_picked >= to_picked.amax(dim=0) - TIE * similarity.max()).byte().argmax(dim=0)]
    weights = nearest.bincount(minlength=k)
    kept = weights > 0
    return picked[kept], weights[kept].to(rows.dtype)


def _similarity(rows: Tensor) -> Tensor:
    """Of each row to each, (n, d) → (n, n); symmetric."""
    similarity = torch.empty(len(rows), len(rows), dtype=torch.float64, device=rows.device)
    at_once = max(1, NUMBERS_AT_ONCE // len(rows))
    for start in range(0, len(rows), at_once):
        similarity[start : start + at_once] = distances(rows[start : start + at_once], rows)
    largest = similarity.max()
    return similarity.neg_().add_(largest).add_(_LEAST)
