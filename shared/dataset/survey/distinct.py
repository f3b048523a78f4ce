"""Which different values a column has, and whether they are all different; both in bounded memory."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.survey.values import Values


class Distinct:
    """Value → its first row and how many rows have it, as long as there are not more than `most` values."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.too_many = False
        self.found: dict[object, tuple[int, int]] = {}

    def add(self, values: Values, row: int) -> None:
        """Take in the next rows; `row`: how many came before."""
        if not self.found and not self.too_many:  # the first rows tell of most columns that have too many
            self.too_many = len(pc.unique(values.known.slice(0, 4 * self.most))) > self.most
        if not self.too_many:
            counts = pc.value_counts(values.known)
            self.too_many = len(counts) > self.most
        if not self.too_many:
            for one in counts.to_pylist():
                value = one["values"]
                first, count = self.found.get(value) or (row + pc.index(values.rows, value).as_py(), 0)
                self.found[value] = (first, count + one["counts"])
            self.too_many = len(self.found) > self.most
        if self.too_many:
            self.found.clear()

    @property
    def count(self) -> int | None:
        """How many values; None if there are more than were counted."""
        return None if self.too_many else len(self.found)


class Uniqueness:
    """Whether no two rows are alike: the first ones are compared with each other and with all that come later."""

    kept_rows = 16_384

    def __init__(self) -> None:
        self.holds = True
        self._kept: pa.Array | None = None

    def add(self, values: Values) -> None:
        """Take in the next rows."""
        if not self.holds or len(values.known) == 0:
            return
        if self._kept is not None and values.known.type != self._kept.type:
            self.holds = False  # numbers that widen are no identifiers
            return
        more = self.kept_rows - (0 if self._kept is None else len(self._kept))
        if more > 0:
            first = values.known.slice(0, more)
            kept = first if self._kept is None else pa.concat_arrays([self._kept, first])
            self.holds = pc.count_distinct(kept).as_py() == len(kept)
            self._kept = kept
        later = values.known.slice(max(more, 0))
        if self.holds and len(later):
            self.holds = not pc.any(pc.is_in(later, value_set=self._kept)).as_py()
        if not self.holds:
            self._kept = None
