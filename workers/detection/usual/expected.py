"""What is expected of rows, and what is found that is not so: the values of `expect:` as its question sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.words import counted

FEW = 20  # values of which nothing can be said


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as expected."""

    check: str
    column: str | None
    sentence: str  # in words and numbers


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """`expect:` of pipeline.yaml."""

    usual: frozenset[str]  # what is compared with the usual
    ignored: frozenset[str]  # columns that are not
    rows: dict[str, Any]
    nulls: dict[str, Any]
    ranges: dict[str, Any]
    categories: dict[str, Any]
    labels: dict[str, Any]
    score_drop: float | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Expected:
        """From what the question sends."""
        return cls(
            usual=frozenset(given["usual"]),
            ignored=frozenset(given["ignore"]),
            **{name: given[name] for name in ("rows", "nulls", "ranges", "categories", "labels")},
            score_drop=given["score"]["drop"] if given["score"] else None,
        )

    def compares(self, check: str, column: str | None = None) -> bool:
        """Whether this is compared with the usual."""
        return check in self.usual and column not in self.ignored


def many(rows: int) -> str:
    """So many rows, for people."""
    return counted(rows, "row")


def percent(share: float) -> str:
    """A share, for people: `0.4 %`."""
    return f"{100 * share:.3g} %"
