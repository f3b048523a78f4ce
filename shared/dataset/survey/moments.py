"""Range, mean and deviation of a column's numbers, in one pass."""

from __future__ import annotations

import math

import numpy as np
import pyarrow.compute as pc

from shared.dataset.survey.values import Values

LARGEST = 1e150  # that a training takes


class Moments:
    """Of what is known and not too large; mean and deviation merged piece by piece (Chan, Golub and LeVeque, 1979)."""

    def __init__(self) -> None:
        self.minimum: float | None = None  # whole numbers stay whole
        self.maximum: float | None = None
        self.infinite = 0  # and what is too large
        self._rows, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, values: Values) -> None:
        """Take in the next rows, of numbers or times."""
        numbers, known = values.numbers(), values.known
        if len(numbers) == 0:
            return
        if not -LARGEST <= numbers.min() <= numbers.max() <= LARGEST:
            usable = np.abs(numbers) <= LARGEST
            self.infinite += int((~usable).sum())
            numbers, known = numbers[usable], known.filter(usable)
            if len(numbers) == 0:
                return
        ends = pc.min_max(known).as_py()
        self.minimum = ends["min"] if self.minimum is None else min(self.minimum, ends["min"])
        self.maximum = ends["max"] if self.maximum is None else max(self.maximum, ends["max"])
        self._merge(len(numbers), float(numbers.mean()), float(numbers.var()) * len(numbers))

    def _merge(self, rows: int, mean: float, squares: float) -> None:
        total, shift = self._rows + rows, mean - self._mean
        self._squares += squares + shift * shift * self._rows * rows / total
        self._mean += shift * rows / total
        self._rows = total

    @property
    def mean(self) -> float | None:
        """None where nothing is known."""
        return self._mean if self._rows else None

    @property
    def std(self) -> float | None:
        """Of the population; None where nothing is known."""
        return math.sqrt(self._squares / self._rows) if self._rows else None
