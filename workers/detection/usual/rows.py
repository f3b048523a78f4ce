"""Whether as many rows have come as must, and as usually do in the same event time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from shared.timestamps import MICROSECONDS_PER_S
from workers.detection.usual.expected import Expected, Finding, many

_FEWEST = 2  # stretches from which on it is known how regularly rows come


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive rows."""

    first_key: int
    last_key: int
    before_us: int | None  # event time before the first; None: it is not known
    last_us: int  # and at the last

    @classmethod
    def of(cls, given: Sequence[int | None]) -> Stretch:
        """From [first key, last key, event time before, event time at the last]."""
        first_key, last_key, before_us, last_us = given
        assert first_key is not None
        assert last_key is not None
        assert last_us is not None
        return cls(first_key=first_key, last_key=last_key, before_us=before_us, last_us=last_us)

    @property
    def rows(self) -> int:
        """How many."""
        return self.last_key - self.first_key + 1

    @property
    def span_s(self) -> float | None:
        """Event time that passed; None: it is not known."""
        return None if self.before_us is None else (self.last_us - self.before_us) / MICROSECONDS_PER_S

    @property
    def per_s(self) -> float | None:
        """Rows in a second of event time; infinite where none passed."""
        if self.span_s is None:
            return None
        return self.rows / self.span_s if self.span_s > 0 else math.inf


def row_findings(now: Stretch, usual: Sequence[Stretch], expected: Expected) -> list[Finding]:
    """What is wrong with how many there are."""
    found, rows = [], expected.rows
    if rows["least"] is not None and now.rows < rows["least"]:
        found.append(_finding(f"{many(now.rows)} came, at least {rows['least']:,} are expected"))
    if rows["most"] is not None and now.rows > rows["most"]:
        found.append(_finding(f"{many(now.rows)} came, at most {rows['most']:,} are expected"))
    rates = [rate for one in usual if (rate := one.per_s) is not None and math.isfinite(rate)]
    if expected.compares("rows") and len(rates) >= _FEWEST and now.per_s is not None and now.span_s is not None:
        least, most = rows["times"]
        if now.per_s == math.inf:
            found.append(_finding(f"event time stands still over {many(now.rows)}; {_usually(now, rates)}"))
        elif not least * min(rates) <= now.per_s <= most * max(rates):
            told = f"{many(now.rows)} in {_time(now.span_s)} of event time; {_usually(now, rates)}"
            found.append(_finding(f"{told}, and {least:g} to {most:g} times that is expected"))
    return found


def _usually(now: Stretch, rates: Sequence[float]) -> str:
    """How long as many rows take, as a rule."""
    return f"usually as many take {_time(now.rows / (sum(rates) / len(rates)))}"


def _time(seconds: float) -> str:
    """For people, in the largest unit of which it is more than two."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.3g} {unit}"
    return f"{seconds:.3g} s"


def _finding(sentence: str) -> Finding:
    return Finding(check="rows", column=None, sentence=sentence)
