"""The values of one column in one stretch of rows, looked at in as many ways as there are checks."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.nulls import count_nulls, nulls_of
from workers.detection.usual.expected import FEW

Numbers = npt.NDArray[np.float64]

PARTS = 10  # of a stretch, in each of which a column varies that is expected to do so


class Values:
    """The values of a column in one stretch; NaN is a null."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        self.kind = kind_of(column.type)
        self.rows = len(column)
        self.nulls = count_nulls(column) / max(len(column), 1)
        self.there = column.filter(pc.invert(nulls_of(column)))

    @cached_property
    def numbers(self) -> Numbers:
        """As float64, (n,), of those that are there."""
        return np.asarray(self.there.cast(pa.float64(), safe=False).to_numpy(), np.float64)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each value comes, as a text."""
        said = pc.value_counts(self.there.cast(pa.string()).combine_chunks())
        return {one["values"]: one["counts"] for one in said.to_pylist()}

    @cached_property
    def distinct(self) -> int:
        """How many different values there are; of lists, as many as there are."""
        return len(self.there) if pa.types.is_nested(self.there.type) else len(self.there.unique())

    def varies_in_each_part(self) -> bool:
        """Whether it has two values in each tenth of the rows: then one value in so many rows is no matter of time.

        Weather is the same for hours, and a weekday for a day.
        """
        if self.distinct < 2 or pa.types.is_nested(self.there.type) or len(self.there) < FEW * PARTS:
            return False
        codes = self.there.combine_chunks().dictionary_encode().indices.to_numpy()
        return all(np.ptp(part) > 0 for part in np.array_split(codes, PARTS))

    @property
    def is_of_words(self) -> bool:
        """Whether it has categories."""
        return self.kind == "text"

    @property
    def is_of_numbers(self) -> bool:
        """Whether it can be large or small."""
        return self.kind in ("whole number", "number")
