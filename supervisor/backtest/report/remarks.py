"""Lines below the table: what must be known to read it, and what should give pause."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from shared.printable import printable
from supervisor.backtest.report.words import amount, baseline_words, price_words, score

_GUESSES = {
    "no_change": "who guesses the last label",
    "majority": "who guesses by the labels so far",
}
_SAME = 1e-12  # of a value: less is rounding


def remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """All of them."""
    yield "mean: over a policy's own windows, as a run scores them; worst, last: of those between grid points"
    yield "triggers, windows, reasons and all other metrics: --json"
    if content["prices"]:
        several = len(content["prices"]) > 1
        told = f"cost: {price_words(content['prices'][0])}; regret: how far above the best schedule"
        yield told + (", * the least cost" if several else "")
    yield from _beaten(content)
    yield from _fewer_rows(content)
    for one in content["policies"]:
        for note in one["notes"]:
            yield printable(f"{one['name']}: {note}")


def _fewer_rows(content: Mapping[str, Any]) -> Iterator[str]:
    """Guesses that were scored on other rows than the policies."""
    rows = content["grid"]["rows"]
    for name in _GUESSES:
        own = content["baselines"].get(name, {}).get("rows", rows)
        if own != rows:
            title = baseline_words(name, content["task"])
            yield f"{title}: on the {own:,} of these rows of which a run of the grid has whole windows"


def _beaten(content: Mapping[str, Any]) -> Iterator[str]:
    """What needs no training, or only one, and is better than all policies: by cost where there are prices."""
    by = "cost" if content["prices"] else "mean"
    sign = 1 if content["greater_is_better"] and by == "mean" else -1
    found = [one[by] for one in content["policies"] if one[by] is not None]
    if not found:
        return
    best = max(found, key=lambda value: sign * value)
    how, told = ("costs less than", amount) if content["prices"] else ("beats", score)
    for name, what, why in _rivals(content):
        value = content["baselines"].get(name, {}).get(by)
        if value is not None and sign * value > sign * best and not math.isclose(value, best, rel_tol=_SAME):
            yield f"! {what} {how} every policy, {told(value)} to {told(best)}: {why}"


def _rivals(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(baseline, what it is called, what it says of the policies where it is better)."""
    for name, who in _GUESSES.items():
        yield name, baseline_words(name, content["task"]).split(":")[0], f"{who} needs no model here"
    pays = "pays for its trainings" if content["prices"] else "gains by its trainings"
    yield "never", "the first model, kept,", f"none of these policies {pays}"
