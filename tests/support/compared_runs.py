"""What a comparison comes to, as `compare --json` prints it, of runs that never were: a row a minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.timestamps import format_timestamp

MINUTE_US = 60_000_000
BEGAN_US = 1_356_998_400_000_000  # 2013-01-01


def window(trigger: int, first: int | None, last: int | None, score: float | None, rows: int | None = None) -> dict:
    """One with these minutes as its first and last row; None: no time is known."""
    moments = [None if at is None else format_timestamp(BEGAN_US + at * MINUTE_US) for at in (first, last)]
    n = rows if rows is not None else 0 if first is None or last is None else last - first + 1
    return {
        "trigger": trigger,
        "first_timestamp": moments[0],
        "last_timestamp": moments[1],
        "n": n,
        "accuracy": score,
    }


def evenly(scores: Sequence[float | None], rows: int = 10) -> list[dict[str, Any]]:
    """Windows of so many rows each, one behind the other."""
    return [window(at, at * rows, (at + 1) * rows - 1, score) for at, score in enumerate(scores)]


def compared(
    runs: dict[str, list[dict[str, Any]]], *, greater_is_better: bool = True, metric: str = "accuracy", **changes: Any
) -> dict[str, Any]:
    """The content, of runs whose windows these are, best first."""
    listed = [_run(name, windows, metric) for name, windows in runs.items()]
    sign = -1 if greater_is_better else 1
    listed.sort(key=lambda run: (run["composite"][metric] is None, sign * (run["composite"][metric] or 0)))
    moments = [one[end] for run in listed for one in run["windows"] for end in ("first_timestamp", "last_timestamp")]
    known = [moment for moment in moments if moment is not None]
    return {
        "rows": max((sum(one["n"] for one in windows) for windows in runs.values()), default=0),
        "first_timestamp": min(known, default=None),
        "last_timestamp": max(known, default=None),
        "sorted_by": metric,
        "greater_is_better": greater_is_better,
        "runs": listed,
        **changes,
    }


def _run(name: str, windows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    named = [{**{k: v for k, v in one.items() if k != "accuracy"}, metric: one["accuracy"]} for one in windows]
    scored = [one for one in named if one[metric] is not None]
    rows = sum(one["n"] for one in scored)
    mean = sum(one["n"] * one[metric] for one in scored) / rows if rows else None
    return {"run": f"runs/{name}", "name": name, "composite": {metric: mean}, "windows": named}
