"""Where batches begin and end in the order of an epoch."""

from __future__ import annotations


def batch_bounds(rows: int, batch_size: int, *, lone_row_allowed: bool) -> list[tuple[int, int]]:
    """[start, stop) of each batch; the last may be short.

    Batch normalisation cannot learn from one row: where it is not allowed, a lone last row joins the batch before.
    """
    bounds = [(start, min(start + batch_size, rows)) for start in range(0, rows, batch_size)]
    lone = len(bounds) > 1 and bounds[-1][1] - bounds[-1][0] == 1
    if lone and batch_size > 1 and not lone_row_allowed:
        bounds[-2:] = [(bounds[-2][0], rows)]
    return bounds
