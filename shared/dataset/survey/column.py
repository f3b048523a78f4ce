"""One column, as its rows are read."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.survey.distinct import Distinct, Uniqueness
from shared.dataset.survey.likeness import Growth, LikeLabel
from shared.dataset.survey.moments import LARGEST, Moments
from shared.dataset.survey.number_texts import NumberTexts
from shared.dataset.survey.values import Values, values_of

MOST_TEXTS = 10_000  # that an encoder takes
MOST_NUMBERS = 1_000
_LATE = 0.1  # share of the rows after which a category comes late
_ORDERED = ("whole number", "number", "time")


class ColumnSurvey:
    """What is counted of a column; of images and the like only nulls."""

    def __init__(self, *, is_text: bool) -> None:
        self.rows = self.nulls = 0
        self.kinds: set[str] = set()
        self.moments = Moments()
        self.distinct = Distinct(MOST_TEXTS if is_text else MOST_NUMBERS)
        self.uniqueness, self.growth, self.like_label = Uniqueness(), Growth(), LikeLabel()
        self.number_texts = NumberTexts()
        self.first: object = None  # the first value that is there
        self.begins_with_null = False
        self.first_infinite: int | None = None  # row
        self.same_rows: int | None = None  # so many rows hold no other value from the start on; None: all

    def look_at(self, column: pa.ChunkedArray, label: Values | None = None) -> Values:
        """The next rows; `label`: of the same rows, for a feature that is compared with it."""
        values = values_of(column)
        self.nulls += values.nulls
        self.kinds.add(values.kind)
        if values.kind in _ORDERED or values.kind == "text":
            self._compare_first(values)
            self.distinct.add(values, self.rows)
        if values.kind in _ORDERED:
            self.moments.add(values)
            if self.moments.infinite and self.first_infinite is None:
                known = pc.abs(values.rows.cast(pa.float64(), safe=False))
                self.first_infinite = self.rows + pc.index(pc.greater(known, LARGEST), True).as_py()
            self.growth.add(values)
        if values.kind == "text":
            self.number_texts.add(values, self.rows)
        if values.kind in ("whole number", "text"):
            self.uniqueness.add(values)
        if label is not None and values.kind in (*_ORDERED, "text") and values.kind != "time":
            self.like_label.add(values, label)
        self.rows += len(column)
        return values

    def _compare_first(self, values: Values) -> None:
        if self.same_rows is not None or len(values.known) == 0:
            return
        if self.first is None:
            self.first = values.known[0].as_py()
            self.begins_with_null = self.rows > 0 or not values.rows[0].is_valid
        row = pc.index(pc.not_equal(values.rows, self.first), True).as_py()
        self.same_rows = self.rows + row if row >= 0 else None

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def varies(self) -> bool:
        """Whether it has two different values."""
        return self.same_rows is not None

    @property
    def grows(self) -> bool:
        """Whether it varies, and never falls from row to row."""
        return self.growth.holds and self.varies and self.kinds <= set(_ORDERED)

    @property
    def unique(self) -> bool:
        """Whether no two rows were found alike."""
        return self.uniqueness.holds and self.known > 0 and self.kinds <= {"whole number", "text"}

    @property
    def late(self) -> dict[str, int]:
        """Text → its rows, of the categories that first come when many rows are over; the commonest first.

        Empty where there are more than were counted.
        """
        found = {str(text): rows for text, (first, rows) in self.distinct.found.items() if first >= _LATE * self.rows}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
