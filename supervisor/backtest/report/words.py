"""Numbers and names in few characters, for the table and the lines below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BASELINES = {
    "never": "never: the first model",
    "every": "every model of the grid",
    "no_change": "no change: the last label",
    "majority": "majority so far",
}


def number_of(number: int, one: str, several: str) -> str:
    """`1 policy`, `2,000 policies`."""
    return f"{number:,} {one if number == 1 else several}"


def score(value: float | None) -> str:
    """As other tables have it."""
    if value is None:
        return "–"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"


def amount(value: float | None) -> str:
    """A sum of money, or of errors."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def seconds(value: float) -> str:
    """How long something trained."""
    if value < 10:
        return f"{value:.2g} s"
    if value < 1_000:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 60_000 else f"{value / 3600:,.0f} h"


def baseline_words(name: str) -> str:
    """What it does."""
    return _BASELINES[name]


def price_words(price: Mapping[str, Any]) -> str:
    """`training 5`, `GPU s 0.2, error 2`: an error costs 1 where it is not said."""
    parts = [("training", price["training"]), ("GPU s", price["gpu_second"])]
    told = [f"{name} {value:g}" for name, value in parts if value] or ["training 0"]
    return ", ".join(told + ([] if price["error"] == 1 else [f"error {price['error']:g}"]))
