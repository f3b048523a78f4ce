"""Coresets: which few rows stand for all, a module a family. Rows or matrices in; indices out, some with weights.

All take torch tensors on one device, CPU or CUDA, in float32 or float64, and decide in float64. What is compared
depends on the rows themselves, never on where they lie or on the number of threads. What differs by rounding alone,
1e-12 of its size, is a tie, and the smallest index wins. Each index comes once. Indices are int64, on the device of
what was given. What cannot be used is a ValueError, in a sentence.
"""

from __future__ import annotations

from workers.selection.coreset.craig import craig
from workers.selection.coreset.facility_location import facility_location
from workers.selection.coreset.grad_match import grad_match
from workers.selection.coreset.graph_cut import graph_cut
from workers.selection.coreset.herding import herding
from workers.selection.coreset.k_center import k_center
from workers.selection.coreset.log_determinant import log_determinant

__all__ = ["craig", "facility_location", "grad_match", "graph_cut", "herding", "k_center", "log_determinant"]
