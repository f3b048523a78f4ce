"""Writes bytes at a place of a file, all of them."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt


def write_at(file: int, values: npt.NDArray[np.generic], at: int) -> int:
    """Write values from byte `at` on; returns the place behind them. Raises OSError."""
    left = memoryview(np.ascontiguousarray(values).data).cast("B")
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
    return at
