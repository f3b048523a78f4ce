"""Whether a feature says the label already, or only counts on with the rows: leaks, found row by row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.survey.moments import LARGEST
from shared.dataset.survey.values import Values

_MOST_PAIRS = 1_000
_FIRST_ROWS = 4_096  # looked at first, as most columns show there that they are nothing of the kind
_SAME = 1e-6  # of the label's range: a copy in float32 is a copy
_NUMBERS = ("whole number", "number")


class Growth:
    """Whether values never fall from row to row."""

    def __init__(self) -> None:
        self.holds = True
        self._last: float | None = None

    def add(self, values: Values) -> None:
        """Take in the next rows, of numbers or times."""
        known = values.known
        if not self.holds or len(known) == 0:
            return
        begins = self._last is None or known[0].as_py() >= self._last
        self.holds = begins and all(_never_falls(part) for part in (known.slice(0, _FIRST_ROWS), known))
        self._last = known[-1].as_py()


def _never_falls(known: pa.Array) -> bool:
    return bool(pc.all(pc.greater_equal(known.slice(1), known.slice(0, len(known) - 1)), min_count=0).as_py())


class _Line(NamedTuple):
    """label = slope × (feature − x) + y."""

    slope: float
    x: float
    y: float
    height: float

    @classmethod
    def through(cls, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> _Line:
        """The rows with the smallest and the largest x, which differ."""
        low, high = int(x.argmin()), int(x.argmax())
        height = float(y[high] - y[low])
        return cls(height / float(x[high] - x[low]), float(x[low]), float(y[low]), abs(height))

    def holds(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> bool:
        """Whether all rows lie on it."""
        with np.errstate(invalid="ignore", over="ignore"):  # the slope may be infinite: no line then
            return self.height > 0 and bool(np.abs(self.slope * (x - self.x) + self.y - y).max() <= _SAME * self.height)


class LikeLabel:
    """Whether a feature equals the label, or gives it away one to one; rows in which either is null do not count."""

    def __init__(self) -> None:
        self.rows = 0
        self.equal = True
        self.pairs: dict[object, object] | None = {}  # of the feature's values and the label's; None: not one to one
        self._back: dict[object, object] = {}
        self._point: tuple[float, float] | None = None
        self._line: _Line | None = None
        self.linear = True

    @property
    def one_to_one(self) -> bool:
        """Whether the label follows from the feature; a few rows, or a constant, say nothing."""
        several = self.pairs is not None and 2 <= len(self.pairs) <= self.rows / 2
        return several or (self.linear and self._line is not None)

    def add(self, feature: Values, label: Values) -> None:
        """Take in the next rows of both."""
        if not (self.equal or self.linear or self.pairs is not None):
            return
        both = pc.and_(pc.is_valid(feature.rows), pc.is_valid(label.rows))
        ours, theirs = feature.rows.filter(both), label.rows.filter(both)
        if len(ours) == 0:
            return
        self.rows += len(ours)
        numeric = feature.kind in _NUMBERS and label.kind in _NUMBERS
        if not numeric:
            self.linear = False
            self.equal = self.equal and feature.kind == label.kind == "text"
        for size in (_FIRST_ROWS, len(ours)):
            part, other = ours.slice(0, size), theirs.slice(0, size)
            if numeric and (self.linear or self.equal):
                self._compare(*(_floats(one) for one in (part, other)))
            elif self.equal:
                self.equal = bool(pc.all(pc.equal(part.cast(other.type), other), min_count=0).as_py())
            if self.pairs is not None:
                self._pair(part, other)

    def _compare(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> None:
        known = (np.abs(x) <= LARGEST) & (np.abs(y) <= LARGEST)
        x, y = x[known], y[known]
        self.equal = self.equal and bool((x == y).all())
        if not self.linear or len(x) == 0:
            return
        self._point = self._point or (float(x[0]), float(y[0]))
        if self._line is None:
            x, y = np.append(x, self._point[0]), np.append(y, self._point[1])
            varies = np.ptp(x) > 0, np.ptp(y) > 0
            self.linear = varies[0] == varies[1]
            self._line = _Line.through(x, y) if all(varies) else None
        if self._line is not None:
            self.linear = self.linear and self._line.holds(x, y)

    def _pair(self, ours: pa.Array, theirs: pa.Array) -> None:
        table = pa.table({"ours": ours, "theirs": theirs}).group_by(["ours", "theirs"]).aggregate([])
        if self.pairs is None or table.num_rows > _MOST_PAIRS:
            self.pairs = None
            return
        for one, other in zip(table.column("ours").to_pylist(), table.column("theirs").to_pylist(), strict=True):
            if self.pairs.setdefault(one, other) != other or self._back.setdefault(other, one) != one:
                self.pairs = None
                return


def _floats(values: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
