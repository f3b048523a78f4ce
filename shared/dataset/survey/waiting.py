"""Moments that are waited for: only those are kept that have not come yet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_OFTEN = 1 << 20


class Waiting:
    """Counts moments that have come; memory is 8 bytes for each that has not."""

    def __init__(self) -> None:
        self.passed = 0
        self._left: list[npt.NDArray[np.int64]] = []
        self._size, self._sort_at = 0, _OFTEN

    def add(self, moments_us: npt.NDArray[np.int64], now_us: int) -> None:
        """More moments, (n,), of which those up to now have come."""
        later = moments_us[moments_us > now_us]
        self.passed += len(moments_us) - len(later)
        if len(later):
            self._left.append(later)
            self._size += len(later)
        if self._size >= self._sort_at:
            self.left(now_us)
            self._sort_at = max(2 * self._size, _OFTEN)

    def left(self, now_us: int) -> int:
        """How many have not come by now."""
        kept = [one[one > now_us] for one in self._left]
        size = sum(map(len, kept))
        self.passed += self._size - size
        self._left, self._size = [one for one in kept if len(one)], size
        return size
