"""Local times that occur twice or never, as clocks are changed: how many, and the first. They are read all the same."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from shared.words import ending

TWICE, NEVER = 1, 2  # what marks such a time


class ClockChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Of the rows so far."""

    twice: int = 0
    never: int = 0
    key: int | None = None  # of the first such row
    file: str | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.twice + self.never

    def with_rows(
        self, marks: npt.NDArray[np.int8] | None, first_key: int, file_of: Callable[[int], str]
    ) -> ClockChanges:
        """With the next rows, from `first_key` on. `marks`: 0, TWICE or NEVER, shape (rows,); None where all are 0."""
        found = np.flatnonzero(marks if marks is not None else ())
        if marks is None or len(found) == 0:
            return self
        never = int(np.count_nonzero(marks == NEVER))
        more = ClockChanges(twice=self.twice + len(found) - never, never=self.never + never)
        key = self.key if self.key is not None else first_key + int(found[0])
        return msgspec.structs.replace(more, key=key, file=self.file or file_of(key))

    def told(self) -> str:
        """How many, which is the first, and what becomes of them."""
        twice = f"{_times(self.twice)} occur{ending(self.twice)} twice (taken for the earlier)" if self.twice else ""
        never = f"{_times(self.never)} never occur{ending(self.never)} (moved forward by the gap)" if self.never else ""
        said = ", ".join(filter(None, (twice, never)))
        return f"{said}, as clocks are changed; the first is that of key {self.key} in {self.file}"


def _times(rows: int) -> str:
    return "1 local time" if rows == 1 else f"{rows:,} local times"
