"""Numbers and names in few characters, for the table and the lines below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BASELINES = {
    "never": "never: the first model",
    "every": "every model of the grid",
    "no_change": "no change: the last label",
    "majority": "majority so far",
}
OF_NUMBERS = {**BASELINES, "majority": "mean so far"}


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


def baseline_words(name: str, task: str) -> str:
    """What it does, where models tell classes apart or estimate numbers."""
    return (OF_NUMBERS if task == "regression" else BASELINES)[name]


def price_words(price: Mapping[str, Any], *, short: bool = False) -> str:
    """`5 a training, 0.01 an error`; `short`: that an error costs 1 goes without saying."""
    parts = [(price["training"], "a training"), (price["gpu_second"], "a GPU second")]
    told = [f"{value:g} {what}" for value, what in parts if value] or ["0 a training"]
    return ", ".join(told + ([] if short and price["error"] == 1 else [f"{price['error']:g} an error"]))
