"""How many rows are enough after a drift: a number of them, or what a worker finds at looks that grow apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.words import counted

AUTO = "auto"
_GROWS = 1.25  # each look has so many times the rows of the one before
_LEAST, _MOST = 100, 5_000


class Rows(f.Whole):
    """So many, or `auto`."""

    kind = "auto | whole number"

    def _deserialize(self, value: Any, *rest: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and value != AUTO:
            raise ValidationError(f"{f.quoted(value)} is neither a number of rows, such as 500, nor auto.")
        return value if value == AUTO else super()._deserialize(value, *rest, **kwargs)


class Enough(f.Group):
    """`after_drift:`."""

    example = "{rows: 500}"
    rows = Rows(
        "how many rows behind the one at which the policy decided are enough; auto: a test on these rows tells",
        required=True,
    )
    least = f.Whole(f"the fewest that auto takes for enough [{_LEAST}]", least=20, load_default=None)
    most = f.Whole(f"so many are enough whatever auto finds [{_MOST}]", load_default=None)
    ignore = f.Sequence(f.Text(""), "feature columns that auto does not look at", may_be_empty=True, load_default=list)

    @f.validates_schema
    def _only_auto(self, data: dict[str, Any], **_: Any) -> None:
        """Options of the test go with it; what is not given is filled in."""
        if data["rows"] != AUTO:
            given = [key for key in ("least", "most", "ignore") if data[key]]
            if given:
                raise ValidationError({key: ["goes with rows auto; remove it."] for key in given})
            return
        if data["least"] is None:
            data["least"] = _LEAST if data["most"] is None else min(_LEAST, data["most"])
        if data["most"] is None:
            data["most"] = max(_MOST, data["least"])
        if data["most"] < data["least"]:
            told = f"{data['most']:,} is fewer than least, {data['least']:,}; write at least as many."
            raise ValidationError({"most": [told]})


class Looks:
    """At how many rows of the new kind it is decided whether they are enough; at the last they are, whatever is found.

    A number of rows is one look, and no test.
    """

    def __init__(self, enough: Mapping[str, Any]) -> None:
        """`enough`: as `Enough` loads it."""
        self.tests = enough["rows"] == AUTO
        self._ignore: list[str] = enough["ignore"]
        self._rows = _series(enough["least"], enough["most"]) if self.tests else [int(enough["rows"])]

    def rows(self, number: int) -> int:
        """Of look `number`, from 0 on."""
        return self._rows[min(number, len(self._rows) - 1)]

    def asks(self, number: int) -> bool:
        """Whether the test is asked there."""
        return number < len(self._rows) - 1

    def options(self, decided_key: int, number: int) -> dict[str, Any]:
        """What detector `enough_rows` is to look at."""
        return {"rows": [decided_key + 1, decided_key + self.rows(number)], "ignore": self._ignore}

    @property
    def wanted(self) -> str:
        """For people: `500 rows`, `100 to 5,000 rows`."""
        if not self.tests:
            return counted(self._rows[-1], "row")
        return f"{self._rows[0]:,} to {counted(self._rows[-1], 'row')}"

    def of(self, seen: int) -> str:
        """How many there are: `250 of 500 rows`, `250 of 100 to 5,000 rows`."""
        return f"{seen:,} of {self._rows[-1]:,} rows" if not self.tests else f"{seen:,} of {self.wanted}"


def _series(least: int, most: int) -> list[int]:
    """Ascending, from the one to the other."""
    found = [least]
    while found[-1] < most:
        found.append(min(math.ceil(found[-1] * _GROWS), most))
    return found
