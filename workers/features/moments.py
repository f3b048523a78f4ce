"""Mean and standard deviation of columns that are seen once, in pieces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


class RunningMoments:
    """Count, mean and squared deviations per column, in float64, merged piece by piece; the same pieces, the same bits.

    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    """

    def __init__(self, columns: int) -> None:
        self._rows = 0
        self._mean = np.zeros(columns)
        self._squares = np.zeros(columns)

    def add(self, block: Float64) -> None:
        """Take in a block of shape (rows, columns)."""
        rows = len(block)
        if rows == 0:
            return
        mean = block.mean(axis=0)
        total = self._rows + rows
        shift = mean - self._mean
        self._squares += ((block - mean) ** 2).sum(axis=0) + shift**2 * (self._rows * rows / total)
        self._mean += shift * (rows / total)
        self._rows = total

    @property
    def mean(self) -> Float64:
        """Mean of each column."""
        return self._mean

    @property
    def std(self) -> Float64:
        """Population standard deviation of each column; 1 for a constant one, so that it becomes 0 when scaled."""
        std = np.sqrt(self._squares / max(self._rows, 1))
        # A constant such as 0.1 leaves rounding noise behind; divided by it, the noise would become the feature.
        constant = std <= np.abs(self._mean) * 1e-12
        return np.where(constant, 1.0, std)
