"""The mark of an option that a back-test may fit: a number that trades trainings for errors."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Tuned(NamedTuple):
    """How values around the one that is written are tried."""

    scale: Literal["times", "odds"] = "times"  # times as large; odds: of a number between 0 and 1 its odds are
    otherwise: str | None = None  # dotted key of the same group, which says what is meant where this one is absent
    within: str | None = None  # key of the same group, of which this is a part: it changes with it
