"""How long a run trained and selected, as tables say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORTH_TELLING_S = 0.1  # a trigger; a selection that takes less is no part of the bill


def selects_long(run: Mapping[str, Any]) -> bool:
    """Whether selecting took time that counts, in a run of so many `triggers`."""
    return bool(run["select_s"] > _WORTH_TELLING_S * run["triggers"])


def duration(seconds: float) -> str:
    """`8.4 s`, `32 min`, `23 h`: in few characters."""
    if seconds < 1_000:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 60_000 else f"{seconds / 3600:.0f} h"


def brief(seconds: float) -> str:
    """`0.13 s`, `5.2 s`, `40 s`, `32 min`, `23 h`: to two digits, for columns."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 1_000:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 60_000 else f"{seconds / 3600:,.0f} h"
