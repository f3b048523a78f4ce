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
        self._rows = np.zeros(columns, np.int64)  # with a value
        self._mean = np.zeros(columns)
        self._squares = np.zeros(columns)

    def add(self, block: Float64) -> None:
        """Take in a block of shape (rows, columns); NaN is no value."""
        rows, mean, squares = _of_block(block)
        total = np.maximum(self._rows + rows, 1)
        shift = mean - self._mean
        self._squares += squares + shift**2 * (self._rows * rows / total)
        self._mean += shift * (rows / total)
        self._rows += rows

    @property
    def mean(self) -> Float64:
        """Mean of each column; 0 for one without a value."""
        return self._mean

    @property
    def std(self) -> Float64:
        """Population standard deviation of each column; 1 for a constant one, so that it becomes 0 when scaled."""
        return np.where(self.varies, self._std, 1.0)

    @property
    def varies(self) -> npt.NDArray[np.bool_]:
        """Which columns are not constant."""
        # A constant such as 0.1 leaves rounding noise behind; divided by it, the noise would become the feature.
        varying: npt.NDArray[np.bool_] = self._std > np.abs(self._mean) * 1e-12
        return varying

    @property
    def _std(self) -> Float64:
        return np.sqrt(self._squares / np.maximum(self._rows, 1))


def _of_block(block: Float64) -> tuple[npt.NDArray[np.int64], Float64, Float64]:
    """Values, their mean and squared deviations, of each column; a mean without values is 0."""
    known = ~np.isnan(block)
    rows = known.sum(axis=0)
    if known.all() and len(block):
        mean = block.mean(axis=0)
        return rows, mean, ((block - mean) ** 2).sum(axis=0)
    mean = np.where(known, block, 0.0).sum(axis=0) / np.maximum(rows, 1)
    return rows, mean, np.where(known, (block - mean) ** 2, 0.0).sum(axis=0)
